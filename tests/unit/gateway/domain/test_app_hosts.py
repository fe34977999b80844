from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.app_access import AppOrigin
from genba_gateway.domain.app_hosts import AppHosts, is_loopback, make_app_hosts

LOCAL = make_app_hosts("http://127.0.0.1:3000")
PUBLIC = make_app_hosts(
    "https://genba.example.com",
    apps_url="https://apps.example.net",
    wildcard_access_url="*.apps.example.com",
)
SUFFIXED = make_app_hosts("https://genba.example.com", wildcard_access_url="https://*-apps.Example.com:8443/")
CODE = "code--main--dev--alice"


@pytest.mark.parametrize(
    ("access_url", "apps_url", "wildcard"),
    [
        ("http://127.0.0.1:3000", "http://apps.localhost:3000", "*.localhost:3000"),
        ("http://[::1]:3000", "http://apps.localhost:3000", "*.localhost:3000"),
        ("https://localhost", "https://apps.localhost", "*.localhost"),
        ("http://genba.localhost:80", "http://apps.localhost", ""),
        ("http://apps.localhost:3000", "", ""),
        ("https://genba.example.com", "", ""),
        ("http://192.0.2.1:3000", "", ""),
        ("http://localhost.example.com", "", ""),
    ],
)
def test_what_is_left_out_is_filled_in_on_loopback_alone(access_url: str, apps_url: str, wildcard: str) -> None:
    hosts = make_app_hosts(access_url)
    assert (hosts.apps_url, hosts.wildcard_host) == (apps_url, wildcard)


@pytest.mark.parametrize(
    ("wildcard", "told"),
    [
        ("*.apps.example.com", "*.apps.example.com:8443"),
        ("https://*.apps.example.com", "*.apps.example.com:8443"),
        ("*.apps.example.com:443", "*.apps.example.com"),
        ("*-x.example.com:9000", "*-x.example.com:9000"),
        ("*.genba.example.com", "*.genba.example.com:8443"),
    ],
)
def test_a_wildcard_is_on_the_access_url_s_port_unless_it_says_otherwise(wildcard: str, told: str) -> None:
    assert make_app_hosts("https://genba.example.com:8443", wildcard_access_url=wildcard).wildcard_host == told


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"apps_url": "https://genba.example.com:8443"}, "has the host of the access URL"),
        ({"apps_url": "https://GENBA.example.com."}, "has the host of the access URL"),
        ({"apps_url": "http://apps.example.com"}, "must be https"),
        ({"apps_url": "apps.example.com"}, "must be http:// or https://"),
        ({"apps_url": "https://apps.example.com/path"}, "nothing behind"),
        ({"apps_url": "https://apps.example.com?x"}, "nothing behind"),
        ({"apps_url": "https://me@apps.example.com"}, "must be http:// or https://"),
        ({"apps_url": "https://"}, "must be http:// or https://"),
        ({"wildcard_access_url": "*.example.com"}, "contains the access URL's host"),
        ({"wildcard_access_url": "*.com"}, "contains the access URL's host"),
        ({"wildcard_access_url": "http://*.apps.example.com"}, "must be https"),
        ({"wildcard_access_url": "*"}, "must be one \\*"),
        ({"wildcard_access_url": "*example.com"}, "must be one \\*"),
        ({"wildcard_access_url": "*.*.example.com"}, "must be one \\*"),
        ({"wildcard_access_url": "x*.example.com"}, "must be one \\*"),
        ({"wildcard_access_url": "apps.example.com"}, "must be one \\*"),
        ({"wildcard_access_url": "*.apps.example.com/x"}, "must be one \\*"),
        ({"wildcard_access_url": "*.apps.example.com:0"}, "no port"),
        ({"wildcard_access_url": "*.apps.example.com:65536"}, "no port"),
    ],
)
def test_origins_that_would_not_keep_apps_apart_are_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make_app_hosts("https://genba.example.com", **settings)


@pytest.mark.parametrize(
    ("apps_url", "wildcard"),
    [
        ("https://apps.example.com", "*.apps.example.com"),
        ("https://APPS.example.com.:8443", "*.apps.example.com"),
        ("https://paths.apps.example.com", "*.apps.example.com"),
        ("https://a-apps.example.com", "*-apps.example.com"),
    ],
)
def test_apps_by_path_have_no_name_that_another_app_can_set_cookies_for(apps_url: str, wildcard: str) -> None:
    with pytest.raises(ValueError, match="could set cookies"):
        make_app_hosts("https://genba.example.com", apps_url=apps_url, wildcard_access_url=wildcard)


def test_a_domain_of_loopback_is_one_that_cookies_may_have() -> None:
    with pytest.raises(ValueError, match="could set cookies"):
        make_app_hosts("http://localhost:3000", wildcard_access_url="*.apps.localhost:3000")
    assert make_app_hosts("http://localhost:3000", wildcard_access_url="*.localhost:3000").apps_url


@pytest.mark.parametrize("apps_url", ["https://myapps.example.com", "https://apps.example.net", "https://example.com"])
def test_apps_by_path_may_have_a_name_beside_the_wildcard_s(apps_url: str) -> None:
    hosts = make_app_hosts("https://genba.example.com", apps_url=apps_url, wildcard_access_url="*.apps.example.com")
    assert hosts.apps_url == apps_url
    assert make_app_hosts("https://a.example.com", apps_url=apps_url, wildcard_access_url="*-apps.example.com").apps_url


def test_a_suffix_with_a_hyphen_may_not_contain_the_dashboard_either() -> None:
    with pytest.raises(ValueError, match="contains the access URL's host"):
        make_app_hosts("https://my-genba.example.com", wildcard_access_url="*-genba.example.com")


def test_an_access_url_without_a_host_is_refused() -> None:
    with pytest.raises(ValueError, match="--access-url"):
        make_app_hosts("http://:3000")


def test_another_port_of_loopback_is_the_same_host() -> None:
    with pytest.raises(ValueError, match="has the host of the access URL"):
        make_app_hosts("http://127.0.0.1:3000", apps_url="http://127.0.0.1:3001")
    with pytest.raises(ValueError, match="has the host of the access URL"):
        make_app_hosts("http://[::1]:3000", apps_url="http://[0:0::1]:3001")


@pytest.mark.parametrize(
    ("hosts", "host", "origin"),
    [
        (LOCAL, "127.0.0.1:3000", None),
        (LOCAL, "localhost:3000", None),
        (LOCAL, "localhost.:3000", None),
        (LOCAL, "[::1]:3000", None),
        (LOCAL, "apps.localhost:3000", AppOrigin.PATH),
        (LOCAL, "APPS.LocalHost:3000", AppOrigin.PATH),
        (LOCAL, "apps.localhost.:3000", AppOrigin.PATH),
        (LOCAL, "apps.localhost:3001", AppOrigin.PATH),
        (LOCAL, "apps.localhost", AppOrigin.PATH),
        (LOCAL, f"{CODE}.localhost:3000", AppOrigin.SUBDOMAIN),
        (LOCAL, "a.b.localhost:3000", AppOrigin.SUBDOMAIN),
        (LOCAL, "x.apps.localhost", AppOrigin.SUBDOMAIN),
        (LOCAL, "me@apps.localhost:3000", AppOrigin.PATH),
        (LOCAL, "apps.localhost:3000@evil.example", None),
        (LOCAL, "apps.localhost:3000:3000", AppOrigin.PATH),
        (LOCAL, "apps.localhost:", AppOrigin.PATH),
        (LOCAL, "apps.localhost:x", AppOrigin.PATH),
        (LOCAL, "apps.localhost:0", AppOrigin.PATH),
        (LOCAL, "apps.localhost:65536", AppOrigin.PATH),
        (LOCAL, "apps.localhost..", AppOrigin.PATH),
        (LOCAL, "apps.localhost/x", None),
        (LOCAL, " apps.localhost", AppOrigin.PATH),
        (LOCAL, "127.0.0.1:", None),
        (PUBLIC, "genba.example.com:", None),
        (PUBLIC, "-a.apps.example.com", AppOrigin.SUBDOMAIN),
        (PUBLIC, "a!.Apps.Example.com", AppOrigin.SUBDOMAIN),
        (PUBLIC, "a.apps.example.com:", AppOrigin.SUBDOMAIN),
        (PUBLIC, f"{'a' * 300}.apps.example.com", AppOrigin.SUBDOMAIN),
        (LOCAL, "evilapps.localhost.example.com", None),
        (LOCAL, "", None),
        (PUBLIC, "genba.example.com", None),
        (PUBLIC, "apps.example.net", AppOrigin.PATH),
        (PUBLIC, "apps.example.com", None),
        (PUBLIC, f"{CODE}.apps.example.com:443", AppOrigin.SUBDOMAIN),
        (PUBLIC, f"{CODE}.apps.example.com.evil.org", None),
        (SUFFIXED, f"{CODE}-apps.example.com:8443", AppOrigin.SUBDOMAIN),
        (SUFFIXED, "apps.example.com:8443", None),
    ],
)
def test_a_host_is_classified_by_its_name(hosts: AppHosts, host: str, origin: AppOrigin | None) -> None:
    assert hosts.classify(host) is origin


@pytest.mark.parametrize(
    ("hosts", "host", "origin"),
    [
        (LOCAL, "apps.localhost:3000", "http://apps.localhost:3000"),
        (LOCAL, "Apps.localhost:3000", "http://apps.localhost:3000"),
        (LOCAL, "apps.localhost:3001", ""),
        (LOCAL, "apps.localhost", ""),
        (LOCAL, "apps.localhost.:3000", ""),
        (LOCAL, "apps.localhost:", ""),
        (PUBLIC, "-a.apps.example.com", ""),
        (PUBLIC, "a!.apps.example.com", ""),
        (PUBLIC, "a.apps.example.com:", ""),
        (LOCAL, "localhost:3000", ""),
        (LOCAL, f"{CODE}.localhost:3000", f"http://{CODE}.localhost:3000"),
        (LOCAL, "a.b.localhost:3000", ""),
        (PUBLIC, "apps.example.net", "https://apps.example.net"),
        (PUBLIC, "apps.example.net:443", "https://apps.example.net"),
        (PUBLIC, "apps.example.net:80", ""),
        (SUFFIXED, f"{CODE}-apps.example.com:8443", f"https://{CODE}-apps.example.com:8443"),
        (SUFFIXED, f"{CODE}-apps.example.com", ""),
        (SUFFIXED, "-apps.example.com:8443", ""),
    ],
)
def test_an_origin_is_found_for_the_exact_host_and_port(hosts: AppHosts, host: str, origin: str) -> None:
    assert hosts.find_origin(host) == origin


@pytest.mark.parametrize(
    ("url", "owned"),
    [
        ("http://apps.localhost:3000/@alice/dev/apps/code/?x=1", True),
        (f"http://{CODE}.localhost:3000/", True),
        (f"http://{CODE}.localhost:3000", True),
        (f"http://{CODE}.localhost:3000?x", False),
        ("http://127.0.0.1:3000/", False),
        ("https://apps.localhost:3000/", False),
        ("http://apps.localhost/", False),
        ("http://apps.localhost:3000.evil.example/", False),
        ("http://apps.localhost:3000@evil.example/", False),
        ("http://evil.example@apps.localhost:3000/", False),
        ("http://evil.example\\@apps.localhost:3000/", False),
        ("http://apps.localhost:3000\\@evil.example/", False),
        ("http:apps.localhost:3000/", False),
        ("//apps.localhost:3000/", False),
        ("/@alice/dev/apps/code/", False),
        ("http://apps.localhost:3000/\r\nSet-Cookie: x", False),
        ("http://apps.localhost:3000/#x", False),
        ("http://[apps.localhost:3000/", False),
        ("javascript://apps.localhost:3000/%0aalert(1)", False),
        (" http://apps.localhost:3000/", False),
        ("", False),
    ],
)
def test_only_urls_of_apps_origins_are_owned(url: str, owned: bool) -> None:
    assert bool(LOCAL.find_owner(url)) is owned


@given(st.text("ahpst.:/@\\loc3[]0?#%\t", max_size=40))
def test_what_is_owned_begins_with_the_origin(url: str) -> None:
    owner = LOCAL.find_owner(url)
    assert url.startswith(owner)
    assert not owner or owner.endswith(".localhost:3000")


def test_apps_have_urls_of_their_own_where_they_fit() -> None:
    assert LOCAL.make_subdomain_url("alice", "dev", "main", "code") == f"http://{CODE}.localhost:3000/"
    assert LOCAL.make_subdomain_url("a" * 32, "b" * 32, "main", "code") == ""
    assert make_app_hosts("https://genba.example.com").make_subdomain_url("alice", "dev", "main", "code") == ""


def test_programs_in_a_workspace_make_addresses_of_ports_of_a_template() -> None:
    assert LOCAL.make_port_template("ana", "dev", "main") == "http://{{port}}--main--dev--ana.localhost:3000"
    assert make_app_hosts("https://genba.example.com").make_port_template("ana", "dev", "main") == ""


def test_each_origin_has_the_scheme_that_is_configured() -> None:
    hosts = make_app_hosts(
        "http://genba.example.com", apps_url="https://apps.example.com", wildcard_access_url="http://*.example.net"
    )
    assert (hosts.scheme_of(AppOrigin.PATH), hosts.scheme_of(AppOrigin.SUBDOMAIN)) == ("https", "http")
    loopback = make_app_hosts("http://127.0.0.1:3000")
    assert (loopback.scheme_of(AppOrigin.PATH), loopback.scheme_of(AppOrigin.SUBDOMAIN)) == ("http", "http")


def test_path_apps_can_be_switched_off() -> None:
    hosts = make_app_hosts("http://localhost:3000", disable_path_apps=True)
    assert (hosts.apps_url, hosts.path_apps_disabled) == ("", True)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("x.localhost", True),
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("[::1]", True),
        ("10.0.0.1", False),
        ("notlocalhost", False),
        ("example.com", False),
    ],
)
def test_loopback_is_known_by_name_and_address(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback
