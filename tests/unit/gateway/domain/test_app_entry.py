"""What a request's head says. What becomes of it: tests/unit/gateway/services/test_app_access.py."""

from __future__ import annotations

import pytest

from genba_gateway.domain.app_access import AppOrigin, AppRedirect, AppRefusal, AppRequest
from genba_gateway.domain.app_entry import (
    CONNECT_PARAMETER,
    MAX_SAME_COOKIES,
    AppEntry,
    find_default_query,
    get_header,
    is_plain_path,
    list_cookies,
    read_entry,
    take_connect_token,
)
from genba_gateway.domain.app_hosts import make_app_hosts

HOSTS = make_app_hosts("http://127.0.0.1:3000")
CODE = "code--main--dev--ana.localhost:3000"


def make_request(
    path: str = "/", query: str = "", host: str = CODE, headers: list[tuple[bytes, bytes]] | None = None
) -> AppRequest:
    return AppRequest(AppOrigin.SUBDOMAIN, "GET", "http", host, path, query, headers or [], "192.0.2.7", False)


def read(path: str = "/", query: str = "", host: str = CODE) -> AppEntry:
    entry = read_entry(HOSTS, make_request(path, query, host))
    assert isinstance(entry, AppEntry)
    return entry


def test_an_entry_has_its_address_and_the_realm_of_its_secrets() -> None:
    entry = read("/a%2Fb", f"x=1&{CONNECT_PARAMETER}=tok&y", CODE.upper())
    assert (entry.origin, entry.realm) == (f"http://{CODE}", f"http://{CODE}/")
    assert (entry.url, entry.connect_token) == (f"http://{CODE}/a%2Fb?x=1&y", "tok")
    by_path = read("/@ana/dev/apps/code/x", host="apps.localhost:3000")
    assert by_path.realm == "http://apps.localhost:3000/@ana/dev/apps/code/"


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/", True),
        ("/x;y=z/%20", True),
        ("", False),
        ("*", False),
        (".evil.example/", False),
        ("@evil.example/", False),
        ("http://evil.example/", False),
        ("/\xe9", False),
        ("/\x7f", False),
        ("/a/../b", False),
    ],
)
def test_only_a_path_that_can_stand_behind_an_origin_is_read(path: str, plain: bool) -> None:
    assert is_plain_path(path) is plain
    decision = read_entry(HOSTS, make_request(path))
    assert isinstance(decision, AppEntry if plain else AppRefusal)


def test_what_a_header_may_not_hold_is_written_in_percent_signs() -> None:
    assert read("/<a>", 'q="\r\n').url == f"http://{CODE}/%3Ca%3E?q=%22%0D%0A"
    slash = read_entry(HOSTS, make_request("/@ana/dev/apps/code", "a b\r\n", "apps.localhost:3000"))
    assert slash == AppRedirect(307, "http://apps.localhost:3000/@ana/dev/apps/code/?a%20b%0D%0A")


@pytest.mark.parametrize(
    ("query", "kept", "token"),
    [
        ("", "", ""),
        ("a=1&b", "a=1&b", ""),
        (f"{CONNECT_PARAMETER}=t", "", "t"),
        (f"a=1&{CONNECT_PARAMETER}=t&b=2", "a=1&b=2", "t"),
        (f"{CONNECT_PARAMETER}=t&{CONNECT_PARAMETER}=u", "", ""),
        (f"{CONNECT_PARAMETER}x=t", f"{CONNECT_PARAMETER}x=t", ""),
        (f"a={CONNECT_PARAMETER}=t", f"a={CONNECT_PARAMETER}=t", ""),
    ],
)
def test_a_token_for_connecting_is_taken_out_of_the_query(query: str, kept: str, token: str) -> None:
    assert take_connect_token(query) == (kept, token)


def test_a_bare_address_gets_the_app_s_own_query() -> None:
    app_url = "http://localhost:1/base?folder=/home/ana#top"
    assert find_default_query(read(), app_url) == f"http://{CODE}/?folder=/home/ana"
    for entry in (read("/x"), read("/", "y")):
        assert find_default_query(entry, app_url) == ""
    assert find_default_query(read(), "http://localhost:1/#a?b") == ""


def test_cookies_of_one_name_are_read_up_to_a_number() -> None:
    for count in (MAX_SAME_COOKIES, MAX_SAME_COOKIES + 1):
        lines = [(b"cookie", b"; ".join(b"x=%d" % number for number in range(count)) + b"; xy=1; y=x=2")]
        found = list_cookies(make_request(headers=lines), "x")
        assert found == [str(number) for number in range(MAX_SAME_COOKIES)]
    split = [(b"cookie", b"x=1"), (b"accept", b"x=2"), (b"cookie", b"x=3")]
    assert list_cookies(make_request(headers=split), "x") == ["1", "3"]


def test_a_header_that_is_there_twice_says_nothing() -> None:
    twice = make_request(headers=[(b"origin", b"http://a"), (b"origin", b"http://b")])
    assert get_header(twice, b"origin") == ""
