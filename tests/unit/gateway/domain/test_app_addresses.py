from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.domain.app_access import AppAddress, AppOrigin
from genba_gateway.domain.app_addresses import (
    MAX_LABEL_CHARS,
    AppPort,
    climbs,
    make_label,
    make_path,
    parse_label,
    parse_path_address,
    parse_port,
)

NAMES = st.from_regex(r"[a-z0-9]{1,4}(-[a-z0-9]{1,4}){0,2}", fullmatch=True).filter(lambda name: name != "me")
SLUGS = NAMES.filter(lambda name: parse_port(name) is None)


@given(NAMES, NAMES, st.one_of(st.just(""), NAMES), SLUGS, st.sampled_from(["", "a", "a/b%2Fc", "@x/y/apps/z/", "\n"]))
def test_a_path_that_was_made_is_read_as_it_was_meant(
    owner: str, workspace: str, agent: str, slug: str, rest: str
) -> None:
    base = make_path(owner, workspace, agent, slug)
    found = parse_path_address(base + rest)
    assert found is not None
    assert found.address == AppAddress(AppOrigin.PATH, owner, workspace, agent, slug, base)
    assert found.rest == f"/{rest}"


@given(NAMES, NAMES, NAMES, NAMES, st.one_of(st.just(""), NAMES, st.just("a-"), st.just("x--y--z--w")))
def test_a_label_that_was_made_is_read_as_it_was_meant(
    owner: str, workspace: str, agent: str, app: str, prefix: str
) -> None:
    label = (f"{prefix}---" if prefix else "") + make_label(owner, workspace, agent, app)
    read = parse_label(label)
    if len(label) > MAX_LABEL_CHARS:
        assert read is None
    else:
        assert read == AppAddress(AppOrigin.SUBDOMAIN, owner, workspace, agent, app, "/", prefix)


@given(st.text("a1-", max_size=30))
def test_a_label_has_one_reading_that_gives_the_label_again(label: str) -> None:
    read = parse_label(label)
    if read is not None:
        names = [name for name in (read.app, read.agent, read.workspace, read.owner) if name]
        assert (f"{read.prefix}---" if read.prefix else "") + "--".join(names) == label
        assert not any("--" in name or name.startswith("-") or name.endswith("-") for name in names)


def test_the_agent_may_be_left_out() -> None:
    address = parse_label("code--dev--alice")
    assert address == AppAddress(AppOrigin.SUBDOMAIN, "alice", "dev", "", "code", "/")
    path = parse_path_address("/@alice/dev/apps/code/x")
    assert path is not None
    assert (path.address.agent, path.rest) == ("", "/x")


def test_a_percent_sign_may_stand_for_the_at_sign_alone() -> None:
    encoded = parse_path_address("/%40alice/dev.main/apps/code/")
    assert encoded is not None
    assert encoded.address == AppAddress(
        AppOrigin.PATH, "alice", "dev", "main", "code", "/%40alice/dev.main/apps/code/"
    )
    for path in (
        "/%2540alice/dev/apps/code/",
        "/@%61lice/dev/apps/code/",
        "/@alice/dev%2Emain/apps/code/",
        "/@alice%2Fdev/apps/code/",
        "/@alice/dev/apps%2Fcode/",
        "/@alice/dev/apps/c%6Fde/",
        "/@alice/dev/apps/code%2F",
        "/@alice/dev/apps/code%00/",
    ):
        assert parse_path_address(path) is None, path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/@alice/dev/apps/",
        "/@alice/dev/apps//code/",
        "//@alice/dev/apps/code/",
        "/@alice//dev/apps/code/",
        "/x/@alice/dev/apps/code/",
        "/@alice/dev./apps/code/",
        "/@alice/dev.a.b/apps/code/",
        "/@alice/dev/apps/../apps/code/",
        "/@alice/dev/app/code/",
        "/@alice/dev/apps/code\\",
        "/@alice/dev/apps/code;/",
        "/@ alice/dev/apps/code/",
        "/@al--ice/dev/apps/code/",
        "/@älice/dev/apps/code/",
        "/@\N{KELVIN SIGN}/dev/apps/code/",
        "/@me/dev/apps/code/",
        "/@ME/dev/apps/code/",
        "/@alice/dev/apps/8080/",
        "/@alice/dev/apps/8080s/",
    ],
)
def test_other_paths_are_no_addresses(path: str) -> None:
    assert parse_path_address(path) is None


def test_a_missing_slash_leaves_nothing_for_the_app() -> None:
    found = parse_path_address("/@alice/dev/apps/code")
    assert found is not None
    assert (found.address.base_path, found.rest) == ("/@alice/dev/apps/code/", "")


@pytest.mark.parametrize(
    "label",
    [
        "",
        "code",
        "code--dev",
        "a--b--c--d--e",
        "code--dev-alice",
        "code----dev--alice",
        "-code--dev--alice",
        "code--dev--alice-",
        "---code--dev--alice",
        "code--dev--alice---",
        "co_de--dev--alice",
        "code--dev--al.ice",
        "a" * 52 + "--dev--alice",
    ],
)
def test_other_labels_are_no_addresses(label: str) -> None:
    assert parse_label(label) is None


def test_a_label_may_be_as_long_as_a_part_of_a_host_name_and_no_longer() -> None:
    longest = MAX_LABEL_CHARS - len("--main--dev--alice")
    assert parse_label(make_label("alice", "dev", "main", "a" * longest)) is not None
    assert make_label("alice", "dev", "main", "a" * (longest + 1)) == ""


def test_labels_are_lower_case_since_browsers_make_them_so() -> None:
    assert make_label("Alice", "Dev", "Main", "code") == "code--main--dev--alice"


@pytest.mark.parametrize(
    ("app", "port"),
    [
        ("8080", AppPort(8080, speaks_tls=False)),
        ("8443s", AppPort(8443, speaks_tls=True)),
        ("9", AppPort(9, speaks_tls=False)),
        ("080", None),
        ("0", None),
        ("100000", None),
        ("80S", None),
        ("80ss", None),
        ("\N{ARABIC-INDIC DIGIT EIGHT}0", None),
        ("code", None),
    ],
)
def test_a_number_is_a_port(app: str, port: AppPort | None) -> None:
    assert parse_port(app) == port


@pytest.mark.parametrize(("number", "allowed"), [(8, False), (9, True), (65535, True), (65536, False)])
def test_ports_have_bounds(number: int, allowed: bool) -> None:
    assert AppPort(number, speaks_tls=False).is_allowed is allowed


@pytest.mark.parametrize(
    "path", ["/..", "/a/../b", "/a/%2e%2E/b", "/a/.%2e/b", "/a%2f..%2Fb", "/a\\..\\b", "/a%5c../b"]
)
def test_a_path_that_climbs_is_found(path: str) -> None:
    assert climbs(path)


@pytest.mark.parametrize("path", ["/", "/a..b/c", "/.../x", "/a/.hidden", "/a/..x", "/%252e%252e/x"])
def test_dots_in_names_are_no_climbing(path: str) -> None:
    assert not climbs(path)
