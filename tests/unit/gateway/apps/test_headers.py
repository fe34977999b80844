"""What apps and browsers get of each other's headers."""

from __future__ import annotations

import pytest

from genba_gateway.apps.headers import (
    for_app,
    for_browser,
    is_well_formed,
    keep_private,
    trailers_for_browser,
    wants_trailers,
)
from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppRequest

ON_PATH = AppAddress(AppOrigin.PATH, "alice", "demo", "main", "code", "/@alice/demo.main/apps/code/")
ON_NAME = AppAddress(AppOrigin.SUBDOMAIN, "alice", "demo", "main", "code", "/")
TOKEN = "0123456789-0123456789abcdefghijkl"


def request_with(*headers: tuple[str, str]) -> AppRequest:
    """A request of somebody at 192.0.2.7."""
    encoded = [(name.encode(), value.encode()) for name, value in (("host", "code.apps.test:3000"), *headers)]
    return AppRequest(
        AppOrigin.SUBDOMAIN, "GET", "https", "code.apps.test:3000", "/", "", encoded, "192.0.2.7", is_websocket=False
    )


def given(*headers: tuple[str, str]) -> dict[str, str]:
    """What the app gets of these."""
    return {name.decode(): value.decode() for name, value in for_app(request_with(*headers))}


def test_an_app_sees_the_host_as_it_was_asked_for_and_who_asked() -> None:
    assert given(("accept", "*/*")) == {
        "host": "code.apps.test:3000",
        "accept": "*/*",
        "x-forwarded-for": "192.0.2.7",
        "x-forwarded-host": "code.apps.test:3000",
        "x-forwarded-proto": "https",
    }


@pytest.mark.parametrize(
    "name",
    [
        "x-forwarded-for",
        "x-forwarded-user",
        "x_forwarded_for",
        "x-original-url",
        "x-rewrite-url",
        "forwarded",
        "x-real-ip",
        "x_real_ip",
        "coder-session-token",
        "coder_session_token",
        "expect",
        "te",
        "keep-alive",
        "proxy-authorization",
        "upgrade",
        "transfer-encoding",
        "content-length",
        "content_length",
        "http2-settings",
    ],
)
def test_what_a_client_may_not_say_is_dropped(name: str) -> None:
    assert "lie" not in given((name, "lie")).values()


def test_what_a_connection_names_as_its_own_is_dropped_but_not_what_matters() -> None:
    said = given(("connection", "close, X-Hop, Host"), ("x-hop", "1"), ("connection", "cookie"), ("cookie", "a=b"))
    assert "x-hop" not in said
    assert "connection" not in said
    assert said["host"] == "code.apps.test:3000"
    assert said["cookie"] == "a=b"


def test_tokens_of_ours_are_dropped_and_those_of_apps_are_not() -> None:
    assert "authorization" not in given(("authorization", f"Bearer {TOKEN}"))
    assert "authorization" not in given(("authorization", f"bEARER  {TOKEN} "))
    assert given(("authorization", "Bearer of-an-app"))["authorization"] == "Bearer of-an-app"
    assert given(("authorization", "Basic YTpi"))["authorization"] == "Basic YTpi"
    assert "referer" not in given(("referer", "https://x/?coder_application_connect_api_key_35e783=k"))
    assert given(("referer", "https://x/"))["referer"] == "https://x/"


def test_cookies_in_several_lines_become_one_without_ours() -> None:
    assert given(("cookie", "a=1"), ("cookie", "coder_session_token=s"), ("cookie", "b=2"))["cookie"] == "a=1; b=2"
    assert "cookie" not in given(("cookie", "coder_signed_app_token=s"))


def answered(address: AppAddress, *headers: tuple[str, str], sharing_level: str = "owner") -> list[tuple[str, str]]:
    """What the browser gets of these."""
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return [(name.decode(), value.decode()) for name, value in for_browser(encoded, address, sharing_level)]


def test_an_answer_is_kept_out_of_shared_caches_and_has_a_referrer_policy() -> None:
    assert answered(ON_NAME, ("content-type", "text/html")) == [
        ("content-type", "text/html"),
        ("cache-control", "private"),
        ("referrer-policy", "strict-origin-when-cross-origin"),
    ]
    own = [("cache-control", "no-store"), ("referrer-policy", "unsafe-url")]
    assert answered(ON_NAME, *own) == own


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (b"public, max-age=60", b"max-age=60, private"),
        (b"Public,s-maxage = 9, immutable", b"immutable, private"),
        (b"max-age=60", b"max-age=60, private"),
        (b"no-store", b"no-store"),
        (b"private, max-age=1", b"private, max-age=1"),
        (b'private="x", public', b'private="x"'),
        (b"", b"private"),
    ],
)
def test_shared_caches_keep_nothing_that_only_some_may_see(said: bytes, kept: bytes) -> None:
    assert keep_private(said) == kept


def test_a_public_app_decides_on_caches_by_itself() -> None:
    assert ("cache-control", "public") in answered(ON_NAME, ("cache-control", "public"), sharing_level="public")
    assert "cache-control" not in dict(answered(ON_NAME, sharing_level="public"))


@pytest.mark.parametrize("name", ["clear-site-data", "strict-transport-security", "nel", "report-to"])
def test_a_path_app_does_not_change_the_origin_that_it_shares(name: str) -> None:
    assert name not in dict(answered(ON_PATH, (name, "x")))
    assert name in dict(answered(ON_NAME, (name, "x")))


@pytest.mark.parametrize("scope", ["/", "/@alice/", "/@alice/demo.main/apps/code/", "https://elsewhere/"])
def test_a_service_worker_of_a_path_app_gets_no_more_than_the_app(scope: str) -> None:
    assert dict(answered(ON_PATH, ("service-worker-allowed", scope)))["service-worker-allowed"] == ON_PATH.base_path
    assert dict(answered(ON_NAME, ("service-worker-allowed", scope)))["service-worker-allowed"] == scope


def test_headers_of_the_hop_end_here() -> None:
    dropped = [("connection", "x-hop"), ("x-hop", "1"), ("keep-alive", "timeout=5"), ("transfer-encoding", "chunked")]
    said = dict(answered(ON_NAME, *dropped, ("alt-svc", 'h3=":443"'), ("date", "today"), ("content-length", "3")))
    assert set(said) == {"content-length", "cache-control", "referrer-policy"}


def test_set_cookie_is_scoped_and_ours_is_dropped() -> None:
    cookies = [("set-cookie", "coder_session_token=fixed; Path=/"), ("set-cookie", "a=b; Path=/")]
    kept = [value for name, value in answered(ON_PATH, *cookies) if name == "set-cookie"]
    assert kept == ["a=b; Path=/@alice/demo.main/apps/code/"]


def test_trailers_say_nothing_that_belongs_into_a_head() -> None:
    trailers = [(b"grpc-status", b"0"), (b"set-cookie", b"a=b"), (b"content-length", b"1"), (b"clear-site-data", b"*")]
    assert trailers_for_browser(trailers) == [(b"grpc-status", b"0")]
    assert wants_trailers([(b"te", b"gzip, Trailers")])
    assert not wants_trailers([(b"te", b"gzip"), (b"x", b"trailers")])


@pytest.mark.parametrize(
    ("name", "value"),
    [(b"a b", b""), (b"", b""), (b"a:", b""), (b"a\xe9", b""), (b"a", b"x\r\ny"), (b"a", b"x\ny"), (b"a", b"\0")],
)
def test_what_would_break_the_lines_of_a_head_is_noticed(name: bytes, value: bytes) -> None:
    assert not is_well_formed([(b"fine", b"value"), (name, value)])
    assert is_well_formed([(b"fine", b"va\tl\xe9ue")])
