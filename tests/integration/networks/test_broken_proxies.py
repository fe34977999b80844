"""Real nginx and HAProxy with one setting wrong: each is named in words, with what to change (docs/networks.md)."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio

from genba_ide_bridge.diagnosis.judging import judge
from genba_ide_bridge.diagnosis.judging_passage import judge_passage
from genba_ide_bridge.diagnosis.passage import probe_passage
from genba_ide_bridge.diagnosis.probing import probe
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.debian_packages import MissingPart
from tests.support.network_rows import Site, haproxy_site, nginx_site
from tests.support.real_gateway import RealGateway, free_port
from tests.support.real_proxies import PAGE, replace_all, running_haproxy, running_nginx
from tests.support.tls import make_authority

pytestmark = pytest.mark.asyncio(loop_scope="module")

SILENCE_S = 10.0
"""How long silence is watched; the proxies that cut it do so after one second."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site() -> AsyncGenerator[Site]:
    """A gateway that needs no workspace."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as name:
        folder = Path(name)
        authority = await asyncio.to_thread(make_authority, folder / "tls")
        async with RealGateway(folder / "gateway") as gateway:
            yield Site(folder, gateway, authority)


async def diagnose(url: str, ca_file: Path | None = None, *, silence_s: float = 0) -> list[str]:
    """What `genba netcheck` says, but that the gateway has another address than the proxy."""
    options = TransportOptions(base_url=url, ca_file=str(ca_file) if ca_file else None)
    async with await asyncio.to_thread(Transport, options) as transport:
        found = await probe_passage(transport, await probe(transport), silence_s=silence_s)
    # A busy machine answers slowly, which is not the matter here.
    found = replace(found, round_trip_ms=None)
    said = [str(problem) for problem in (*judge(found), *judge_passage(found))]
    return [each for each in said if "for its address. Workspaces and links use that one" not in each]


@asynccontextmanager
async def proxy_with(
    running: Callable[[Path, str, int], AbstractAsyncContextManager[object]],
    settings: Callable[[Site, int], str],
    site: Site,
    changes: dict[str, str],
) -> AsyncGenerator[str]:
    """A proxy with the published settings, but for the changes; its URL."""
    port = free_port()
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, dir=site.folder))
    try:
        async with running(folder, replace_all(settings(site, port), changes), port):
            yield f"http://127.0.0.1:{port}"
    except MissingPart as missing:
        pytest.skip(str(missing))


nginx_with = partial(proxy_with, running_nginx, nginx_site)
haproxy_with = partial(proxy_with, running_haproxy, haproxy_site)


@dataclass(frozen=True, slots=True)
class Broken:
    """One wrong setting; `row` is what the table of docs/networks.md begins with."""

    row: str
    changes: dict[str, str]
    said: str
    remedy: str
    silence_s: float = 0


LOCATION = "    location / {\n"

BROKEN_NGINX = (
    Broken(
        "nginx without the headers `Upgrade` and `Connection`",
        {
            "proxy_set_header Upgrade $http_upgrade;": "",
            "proxy_set_header Connection $genba_connection;": "",
        },
        "They reach the gateway as plain requests",
        "proxy_set_header Upgrade $http_upgrade",
    ),
    Broken(
        "nginx without `proxy_http_version 1.1`",
        {"proxy_http_version 1.1;": ""},
        "refuses websockets with status 400",
        "proxy_http_version 1.1",
    ),
    Broken(
        "nginx without `client_max_body_size`",
        {"client_max_body_size 101m;": ""},
        "refuses bodies above 1 MiB (413)",
        "client_max_body_size 101m",
    ),
    Broken(
        "nginx with a short `proxy_read_timeout`",
        {LOCATION: f"{LOCATION}proxy_read_timeout 1s;"},
        "ends connections in which nothing is said after ",
        "`proxy_read_timeout`",
        SILENCE_S,
    ),
    Broken(
        "nginx that compresses all types, with `proxy_ignore_headers X-Accel-Buffering`",
        {
            LOCATION: f"{LOCATION}gzip on; gzip_types *; gzip_min_length 0; gzip_proxied any;"
            "proxy_ignore_headers X-Accel-Buffering;"
        },
        "holds answers back until they are whole (gzip compression): logs",
        "X-Accel-Buffering",
    ),
    Broken(
        "nginx with `sub_filter` for all types",
        {LOCATION: f"{LOCATION}sub_filter_types *; sub_filter '</head>' '<script></script></head>';"},
        "changes what the gateway answers",
        "`sub_filter`",
    ),
    Broken(
        "nginx that passes another `Host` on, and no `--access-url`",
        {"proxy_set_header Host $http_host;": "proxy_set_header Host backend;"},
        "a proxy tells it that you asked for backend: terminals in its pages are refused",
        "Start the gateway with --access-url http://127.0.0.1",
    ),
    Broken(
        "nginx before a gateway that is down",
        {"proxy_pass http://": "proxy_pass http://127.0.0.1:1; #"},
        "does not reach the gateway behind it (502)",
        "Check that the gateway runs",
    ),
    Broken(
        "a network that wants a sign-in, answering with its page",
        {LOCATION: f"{LOCATION}default_type text/html; return 200 '<html>Welcome, guest</html>';"},
        "is a web server, but no gateway (it calls itself nginx",
        "In a network for guests",
    ),
    Broken(
        "a network that wants a sign-in, sending everybody to its page",
        {LOCATION: f"{LOCATION}return 302 http://portal.example.net/welcome;"},
        "is sent to http://portal.example.net/welcome instead",
        "open it in a browser first",
    ),
    Broken(
        "nginx that sends to another address",
        {LOCATION: f"{LOCATION}return 301 https://genba.example.com$request_uri;"},
        "sends its visitors to https://genba.example.com.",
        "genba login",
    ),
)

BROKEN_HAPROXY = (
    Broken(
        "HAProxy that denies upgrades",
        {"    option forwardfor\n": "    http-request deny if { req.hdr(Upgrade) -m found }\n"},
        "refuses websockets with status 403",
        "`http-request deny`",
    ),
    Broken(
        "HAProxy with a short `timeout tunnel`",
        {"    mode http\n": "    mode http\n    timeout tunnel 1s\n"},
        "ends connections in which nothing is said after ",
        "`timeout tunnel`",
        SILENCE_S,
    ),
    Broken(
        "HAProxy with a short `timeout client` or `timeout server`",
        {"timeout server  50s": "timeout server  1s"},
        "ends connections in which nothing is said after ",
        "`timeout client` and `timeout server`",
        SILENCE_S,
    ),
    Broken(
        "HAProxy before a gateway that is down",
        {"server gateway ": "server gateway 127.0.0.1:1 #"},
        "does not reach the gateway behind it (503)",
        "Check that the gateway runs",
    ),
)


@pytest.mark.parametrize("broken", BROKEN_NGINX, ids=lambda broken: broken.row)
async def test_wrong_setting_of_nginx_is_named(site: Site, broken: Broken) -> None:
    async with nginx_with(site, broken.changes) as url:
        said = await diagnose(url, silence_s=broken.silence_s)
    assert_named(broken, said)


@pytest.mark.parametrize("broken", BROKEN_HAPROXY, ids=lambda broken: broken.row)
async def test_wrong_setting_of_haproxy_is_named(site: Site, broken: Broken) -> None:
    async with haproxy_with(site, broken.changes) as url:
        said = await diagnose(url, silence_s=broken.silence_s)
    assert_named(broken, said)


def assert_named(broken: Broken, said: list[str]) -> None:
    assert [broken.said in each and broken.remedy in each for each in said] == [True], said


async def test_published_settings_have_nothing_wrong(site: Site) -> None:
    async with nginx_with(site, {}) as nginx, haproxy_with(site, {}) as haproxy:
        assert await diagnose(nginx, silence_s=0.5) == []
        assert await diagnose(haproxy, silence_s=0.5) == []


async def test_wrong_certificate_at_nginx_is_named(site: Site) -> None:
    good, old = free_port(), free_port()
    fresh = await site.issue("nginx")
    began = datetime.now(UTC) - timedelta(days=90)
    expired = await asyncio.to_thread(
        lambda: site.authority.issue("expired", valid_from=began, valid_for=timedelta(days=30))
    )
    folder = site.folder / "certificates"
    second = nginx_site(site, old, tls=expired[0], key=expired[1]).partition("server {")[2]
    text = f"{nginx_site(site, good, tls=fresh[0], key=fresh[1])}\nserver {{{second}"
    try:
        async with running_nginx(folder, text, good):
            ca_file = site.authority.file
            assert await diagnose(f"https://127.0.0.1:{good}", ca_file) == []
            (unknown,) = await diagnose(f"https://127.0.0.1:{good}")
            (other,) = await diagnose(f"https://localhost:{good}", ca_file)
            (expiry,) = await diagnose(f"https://127.0.0.1:{old}", ca_file)
            (plain,) = await diagnose(f"http://127.0.0.1:{good}")
    except MissingPart as missing:
        pytest.skip(str(missing))
    assert "comes from an authority that this machine does not know" in unknown
    assert "--ca-file" in unknown
    assert "The certificate that localhost shows is for another name" in other
    assert "The certificate of 127.0.0.1 is not valid now" in expiry
    assert "Have it renewed" in expiry
    assert f"speaks TLS only. Use https://127.0.0.1:{good}." in plain


async def test_nginx_that_wants_a_certificate_is_named(site: Site) -> None:
    port = free_port()
    cert, key = await site.issue("nginx")
    verify = f"ssl_client_certificate {site.authority.file}; ssl_verify_client on;"
    try:
        async with running_nginx(site.folder / "asking", nginx_site(site, port, verify, tls=cert, key=key), port):
            (said,) = await diagnose(f"https://127.0.0.1:{port}", site.authority.file)
    except MissingPart as missing:
        pytest.skip(str(missing))
    assert "wants a client certificate (400 No required SSL certificate was sent)" in said
    assert "--client-cert and --client-key" in said


@pytest.mark.parametrize(
    ("status", "said", "remedy"),
    [
        (403, "refuses the way to genba.example.com:443 (403).", "allow CONNECT to that name and port"),
        (407, "wants a name and a password (407).", "http://name:password@proxy:port"),
    ],
)
async def test_connect_proxy_that_refuses_is_named(
    site: Site, monkeypatch: pytest.MonkeyPatch, status: int, said: str, remedy: str
) -> None:
    deny = f"    http-request deny deny_status {status} if METH_CONNECT\n"
    async with haproxy_with(site, {"    option forwardfor\n": deny}) as url:
        monkeypatch.setenv("HTTPS_PROXY", url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        (problem,) = await diagnose("https://genba.example.com")
    assert said in problem
    assert remedy in problem


async def test_page_has_a_row_for_each() -> None:
    rows = [broken.row for broken in (*BROKEN_NGINX, *BROKEN_HAPROXY)]
    table = PAGE.read_text(encoding="utf-8").split("## What is wrong")[1]
    assert [row for row in rows if f"| {row} |" not in table] == []
