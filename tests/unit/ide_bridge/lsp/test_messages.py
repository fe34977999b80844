"""Names and secrets of the messages."""

from __future__ import annotations

import msgspec
import pytest

from genba_ide_bridge.lsp import messages


def test_names_are_camel_case_and_absent_values_left_out() -> None:
    assert msgspec.to_builtins(messages.BuildResult(build_id="b", build_number=1)) == {"buildId": "b", "buildNumber": 1}
    assert msgspec.to_builtins(messages.SessionResult(signed_in=False, version="v")) == {
        "signedIn": False,
        "version": "v",
    }
    assert msgspec.to_builtins(messages.LogEnded(ended=True)) == {"ended": True}


def test_unknown_names_are_ignored_and_absent_ones_named() -> None:
    read = msgspec.convert({"agentId": "a", "height": 1, "width": 2, "later": 3}, messages.TerminalParameters)
    assert (read.command, read.reconnect) == ("", "")
    with pytest.raises(msgspec.ValidationError, match="agentId"):
        msgspec.convert({"height": 1, "width": 2}, messages.TerminalParameters)


def test_tokens_are_not_shown() -> None:
    for message in (
        messages.SignInParameters(url="u", token="secret"),
        messages.StreamResult(id="i", url="u", token="secret"),
        messages.StreamToken(token="secret"),
    ):
        assert "secret" not in repr(message)
