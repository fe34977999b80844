"""Options of users and gateways."""

from __future__ import annotations

import pytest

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.ssh_options import SshOption, accept_from_gateway, merge_options, parse_option


@pytest.mark.parametrize(
    ("text", "value"),
    [("ForwardAgent=yes", "yes"), ("ForwardAgent yes", "yes"), (" ForwardAgent = a b=c ", "a b=c")],
)
def test_an_option_is_a_keyword_and_a_value(text: str, value: str) -> None:
    assert parse_option(text) == SshOption("ForwardAgent", value)


@pytest.mark.parametrize("text", ["", "ForwardAgent", "ForwardAgent=", "=x", "A-b=c", "A=b\nHost *", "#A=b"])
def test_what_is_no_option_is_refused(text: str) -> None:
    with pytest.raises(BridgeError, match="not an option"):
        parse_option(text)


@pytest.mark.parametrize("keyword", ["Host", "match", "Include", "PROXYCOMMAND", "UserKnownHostsFile", "ProxyJump"])
def test_what_config_ssh_sets_is_not_set_again(keyword: str) -> None:
    with pytest.raises(BridgeError, match=keyword):
        parse_option(f"{keyword}=x")
    assert accept_from_gateway({keyword: "x"}) == ([], [repr(keyword)])


def test_a_gateway_sets_only_what_can_do_no_harm() -> None:
    harmful = ("LocalCommand", "permitlocalcommand", "KnownHostsCommand", "SmartcardDevice", "PKCS11Provider")
    opening = ("ForwardAgent", "ForwardX11", "RemoteForward", "SendEnv", "ControlPath", "CanonicalDomains", "OfLater")
    asked = {**dict.fromkeys((*harmful, *opening), "x"), "SetEnv": "A=1", "User": "a\nb"}
    taken, refused = accept_from_gateway(asked)
    assert taken == [SshOption("SetEnv", "A=1")]
    assert refused == sorted([*harmful, *opening, "'User'"], key=lambda each: each.strip("'"))


def test_the_user_wins_over_the_gateway_and_the_gateway_over_defaults() -> None:
    def layer(*texts: str) -> list[SshOption]:
        return [parse_option(text) for text in texts]

    merged = merge_options(
        layer("LogLevel=ERROR", "ConnectTimeout=0", "Other=1"),
        layer("loglevel=INFO", "connecttimeout=5"),
        layer("SendEnv=A", "ConnectTimeout=9", "sendenv=B"),
    )
    assert [f"{one.keyword}={one.value}" for one in merged] == [
        "ConnectTimeout=9",
        "loglevel=INFO",
        "Other=1",
        "SendEnv=A",
        "sendenv=B",
    ]


def test_a_gateway_is_sent_no_variable_of_the_users() -> None:
    asked = {"User": "${GENBA_SESSION_TOKEN}", "SetEnv": "A=$B"}
    assert accept_from_gateway(asked) == ([SshOption("SetEnv", "A=$B")], ["User"])
