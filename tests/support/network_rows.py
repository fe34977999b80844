"""Rows of the matrix: what stands between a client and a gateway, as docs/networks.md names and sets it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.connect_proxy import running_connect_proxy
from tests.support.real_gateway import RealGateway, free_port
from tests.support.real_proxies import read_snippet, replace_all, running_haproxy, running_nginx
from tests.support.tls import Authority

TLS_AT_NGINX: Final = "TLS and HTTP/2 at nginx"
TLS_AT_HAPROXY: Final = "TLS and HTTP/2 at HAProxy"


@dataclass(frozen=True, slots=True)
class Site:
    """What a row is made with: a folder of its own, the gateway, and who signs certificates."""

    folder: Path
    gateway: RealGateway
    authority: Authority

    @property
    def address(self) -> str:
        """The gateway's `host:port`, as a proxy's settings name it."""
        return f"127.0.0.1:{self.gateway.port}"

    async def issue(self, name: str) -> tuple[Path, Path]:
        """A certificate and its key; other rows, which may run at the same time, have theirs."""
        return await asyncio.to_thread(self.authority.issue, f"{self.folder.name}-{name}")

    async def issue_client(self) -> dict[str, str]:
        """Make a certificate for a client; what names it, and the authority to believe, in an environment."""
        cert, key = await self.issue("client")
        return {**self.believing, "GENBA_CLIENT_CERT": str(cert), "GENBA_CLIENT_KEY": str(key)}

    @property
    def believing(self) -> dict[str, str]:
        """What names the authority to believe in an environment."""
        return {"GENBA_CA_FILE": str(self.authority.file)}


@dataclass(frozen=True, slots=True)
class Way:
    """How a client reaches the gateway through a row: the URL, and what it has in its environment."""

    url: str
    environment: dict[str, str]

    def make_context(self, *protocols: str) -> ssl.SSLContext:
        """The context of a test's own connections; `protocols` are offered by ALPN."""
        environment = self.environment
        context = ssl.create_default_context(cafile=environment["GENBA_CA_FILE"])
        if "GENBA_CLIENT_CERT" in environment:
            context.load_cert_chain(environment["GENBA_CLIENT_CERT"], environment["GENBA_CLIENT_KEY"])
        context.set_alpn_protocols(protocols)
        return context


@dataclass(frozen=True, slots=True)
class Row:
    """One row; `name` is what the table of docs/networks.md begins with, `http2` what passes over HTTP/2."""

    name: str
    open: Callable[[Site], AbstractAsyncContextManager[Way]]
    http2: tuple[str, ...] = ()


def nginx_site(site: Site, port: int, *more: str, tls: Path | None = None, key: Path | None = None) -> str:
    """The published settings of nginx with a test's addresses; `tls` makes them those with TLS."""
    text = replace_all(read_snippet("nginx"), {"127.0.0.1:3000": site.address})
    if tls is None:
        return replace_all(text, {"listen 80;": f"listen 127.0.0.1:{port};"})
    paths = {
        "listen 443 ": f"listen 127.0.0.1:{port} ",
        "/etc/ssl/genba.pem": str(tls),
        "/etc/ssl/genba.key": str(key),
    }
    return replace_all(text, {"listen 80;": "\n".join([replace_all(read_snippet(TLS_AT_NGINX), paths), *more])})


def haproxy_site(site: Site, port: int, *, pem: Path | None = None) -> str:
    """The published settings of HAProxy with a test's addresses; `pem` makes them those with TLS."""
    text = replace_all(read_snippet("HAProxy"), {"127.0.0.1:3000": site.address})
    if pem is None:
        return replace_all(text, {"bind :80": f"bind 127.0.0.1:{port}"})
    paths = {":443": f"127.0.0.1:{port}", "/etc/ssl/genba.pem": str(pem)}
    return replace_all(text, {"bind :80": replace_all(read_snippet(TLS_AT_HAPROXY), paths)})


@asynccontextmanager
async def _nginx(site: Site) -> AsyncGenerator[Way]:
    port = free_port()
    async with running_nginx(site.folder, nginx_site(site, port), port):
        yield Way(f"http://127.0.0.1:{port}", {})


@asynccontextmanager
async def _nginx_tls(site: Site) -> AsyncGenerator[Way]:
    port = free_port()
    cert, key = await site.issue("nginx")
    async with running_nginx(site.folder, nginx_site(site, port, tls=cert, key=key), port):
        yield Way(f"https://127.0.0.1:{port}", site.believing)


@asynccontextmanager
async def _nginx_client_certificate(site: Site) -> AsyncGenerator[Way]:
    port = free_port()
    cert, key = await site.issue("nginx")
    client = await site.issue_client()
    clients = {"/etc/ssl/genba-clients.pem": str(site.authority.file)}
    verify = replace_all(read_snippet("Client certificates at nginx"), clients)
    async with running_nginx(site.folder, nginx_site(site, port, verify, tls=cert, key=key), port):
        yield Way(f"https://127.0.0.1:{port}", client)


@asynccontextmanager
async def _haproxy(site: Site) -> AsyncGenerator[Way]:
    port = free_port()
    async with running_haproxy(site.folder, haproxy_site(site, port), port):
        yield Way(f"http://127.0.0.1:{port}", {})


@asynccontextmanager
async def _haproxy_tunnel(site: Site) -> AsyncGenerator[Way]:
    port = free_port()
    text = replace_all(haproxy_site(site, port), {"    mode http\n": "    mode http\n    timeout tunnel 1h\n"})
    async with running_haproxy(site.folder, text, port):
        yield Way(f"http://127.0.0.1:{port}", {})


@asynccontextmanager
async def _haproxy_tls(site: Site) -> AsyncGenerator[Way]:
    port = free_port()
    cert, key = await site.issue("haproxy")
    pem = site.folder / "both.pem"
    await asyncio.to_thread(lambda: pem.write_bytes(cert.read_bytes() + key.read_bytes()))
    async with running_haproxy(site.folder, haproxy_site(site, port, pem=pem), port):
        yield Way(f"https://127.0.0.1:{port}", site.believing)


@asynccontextmanager
async def _direct(site: Site) -> AsyncGenerator[Way]:
    yield Way(site.gateway.url, {})


@asynccontextmanager
async def _client_certificate(site: Site) -> AsyncGenerator[Way]:
    yield Way(site.gateway.url, await site.issue_client())


@asynccontextmanager
async def _connect_proxy(site: Site) -> AsyncGenerator[Way]:
    async with running_connect_proxy() as proxy:
        yield Way(site.gateway.url, {**site.believing, "HTTPS_PROXY": proxy.url, "NO_PROXY": ""})
    # For requests, for streams and for sessions.
    assert (set(proxy.targets), len(proxy.targets) >= 3, proxy.refused) == ({site.address}, True, 0)


@asynccontextmanager
async def _tls_at_the_gateway(site: Site) -> AsyncGenerator[Way]:
    yield Way(site.gateway.url, site.believing)


PLAIN_ROWS: Final = (
    Row("nothing", _direct),
    Row("nginx", _nginx),
    Row("nginx with TLS and HTTP/2", _nginx_tls, ("requests",)),
    Row("nginx that wants client certificates", _nginx_client_certificate),
    Row("HAProxy with Debian's time-outs", _haproxy),
    Row("HAProxy with `timeout tunnel`", _haproxy_tunnel),
    Row("HAProxy with TLS and HTTP/2", _haproxy_tls, ("requests", "websockets")),
)
"""Before a gateway without TLS."""

TLS_ROWS: Final = (
    Row("the gateway's own TLS", _tls_at_the_gateway, ("requests", "websockets")),
    Row("an HTTP CONNECT proxy, before the same", _connect_proxy),
)
"""Before a gateway with TLS."""

CLIENT_CERTIFICATE_ROW: Final = Row(
    "the gateway's own TLS and client certificates", _client_certificate, ("requests", "websockets")
)
"""Before a gateway with TLS and `--tls-client-ca`."""
