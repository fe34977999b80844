"""Who may shake hands with a server on the loopback interface."""

from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from genba_ide_bridge.lsp.loopback import is_token, make_token, refuse_strangers

ADDRESS = "127.0.0.1:4000"


@pytest.mark.parametrize(
    ("headers", "is_refused"),
    [
        ([("Host", ADDRESS)], False),
        ([("Host", ADDRESS), ("Origin", "editor://x")], False),
        ([("Host", ADDRESS), ("Origin", "https://x")], True),
        ([("Host", ADDRESS), ("Origin", "editor://x"), ("Origin", "https://x")], True),
        ([("Host", ADDRESS), ("Origin", "null")], True),
        ([("Host", ADDRESS), ("Origin", "")], True),
        ([("Host", "evil.example:4000")], True),
        ([("Host", "127.0.0.1")], True),
        ([("Host", ADDRESS), ("Host", "evil.example")], True),
        ([], True),
    ],
)
def test_hosts_and_origins_are_checked(headers: list[tuple[str, str]], is_refused: bool) -> None:
    assert (refuse_strangers(Headers(headers), ADDRESS, frozenset({"editor"})) is not None) is is_refused


def test_no_origin_is_allowed_by_default() -> None:
    assert refuse_strangers(Headers([("Host", ADDRESS), ("Origin", "editor://x")]), ADDRESS) is not None


def test_tokens_differ_and_compare() -> None:
    one, other = make_token(), make_token()
    assert is_token(one, one)
    assert not is_token(one, other)
    assert not is_token("é", one)
