"""Cookies of the gateway and of apps kept apart."""

from __future__ import annotations

import pytest

from genba_gateway.apps.cookies import is_ours, scope_set_cookie, strip_cookies
from genba_gateway.domain.app_access import AppAddress, AppOrigin

BASE = "/@alice/demo.main/apps/code/"
ON_PATH = AppAddress(AppOrigin.PATH, "alice", "demo", "main", "code", BASE)
ON_NAME = AppAddress(AppOrigin.SUBDOMAIN, "alice", "demo", "main", "code", "/")


@pytest.mark.parametrize(
    "name",
    [
        b"coder_session_token",
        b"Coder_Session_Token",
        b" coder_session_token\t",
        b"coder_signed_app_token_1f2e",
        b"coder_subdomain_app_session_token",
        b"coder_path_app_session_token_7",
        b"csrf_token",
        b"oauth_state",
        b"genba_anything",
        b"__Host-coder_session_token",
        b"__secure-GENBA_x",
        b"__Host-__Secure-csrf_token",
        b"__Http-coder_session_token",
        b"__Host-Http-coder_session_token",
    ],
)
def test_names_of_ours_are_known_in_any_disguise(name: bytes) -> None:
    assert is_ours(name)
    assert strip_cookies(name + b"=secret") == b""
    assert strip_cookies(b"a=1; " + name + b"=secret;b=2") == b"a=1; b=2"
    assert scope_set_cookie(name + b"=x; Path=/", ON_NAME) is None


@pytest.mark.parametrize("name", [b"csrftoken", b"_xsrf", b"code-server-session", b"session", b"vscode-tkn"])
def test_names_of_apps_are_left_alone(name: bytes) -> None:
    assert not is_ours(name)
    assert strip_cookies(name + b"=1") == name + b"=1"


def test_a_quoted_value_hides_no_cookie_of_ours() -> None:
    sandwich = b'$Version=1; a="; coder_session_token=secret; b="'
    assert b"secret" not in strip_cookies(sandwich)


@pytest.mark.parametrize("value", [b"=coder_session_token=x", b"coder_session_token", b" =a=b", b"; Path=/"])
def test_cookies_without_a_name_are_refused(value: bytes) -> None:
    assert scope_set_cookie(value, ON_NAME) is None


@pytest.mark.parametrize(
    ("value", "scoped"),
    [
        (b"a=b; Domain=.example.com; HttpOnly", b"a=b; HttpOnly"),
        (b"a=b;DOMAIN = x;domain=y; Path=/x", b"a=b; Path=/x"),
        (b"a=b; Domain", b"a=b"),
        (b"a=b; ; Secure", b"a=b; Secure"),
        (b"__Host-a=b; Secure; Path=/", b"__Host-a=b; Secure; Path=/"),
    ],
)
def test_a_cookie_on_a_name_of_its_own_stays_there(value: bytes, scoped: bytes) -> None:
    assert scope_set_cookie(value, ON_NAME) == scoped


@pytest.mark.parametrize(
    ("path", "confined"),
    [
        (b"/", BASE),
        (b"/api", BASE + "api"),
        (b"//api", BASE + "api"),
        (BASE.encode() + b"x", BASE + "x"),
        (b"/@mallory/demo.main/apps/code/", BASE + "@mallory/demo.main/apps/code/"),
        (b"relative", BASE),
        (b"", BASE),
    ],
)
def test_a_cookie_on_the_origin_of_path_apps_leads_below_its_app(path: bytes, confined: str) -> None:
    assert scope_set_cookie(b"a=b; PATH=" + path, ON_PATH) == f"a=b; Path={confined}".encode()


def test_every_path_of_a_cookie_is_confined_and_none_is_added() -> None:
    assert scope_set_cookie(b"a=b; Path=/x; Path=/", ON_PATH) == f"a=b; Path={BASE}x; Path={BASE}".encode()
    # Without one browsers take the folder of what was asked for, which is below the app already.
    assert scope_set_cookie(b"a=b", ON_PATH) == b"a=b"
