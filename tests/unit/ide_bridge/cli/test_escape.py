"""The tilde at a line's beginning."""

from __future__ import annotations

import pytest

from genba_ide_bridge.cli.escape import EscapeAction, EscapeFilter, Typed


@pytest.mark.parametrize("pieces", [[b"~."], [b"~", b"."], [b"ls\r~."], [b"ls\r", b"~", b"."], [b"ls\n~."]])
def test_tilde_and_dot_at_the_beginning_of_a_line_leave(pieces: list[bytes]) -> None:
    keys = EscapeFilter()
    typed = [keys.feed(piece) for piece in pieces]
    assert typed[-1].actions == (EscapeAction.LEAVE,)
    assert b"~" not in b"".join(one.data for one in typed)


def test_nothing_after_the_escape_is_sent() -> None:
    assert EscapeFilter().feed(b"ls\r~.rm -r\r") == Typed(b"ls\r", (EscapeAction.LEAVE,))


@pytest.mark.parametrize("text", [b"cd ~.", b"a~.", b"ls ~\r", b"x\r ~."])
def test_a_tilde_elsewhere_is_only_a_tilde(text: bytes) -> None:
    assert EscapeFilter().feed(text) == Typed(text)


@pytest.mark.parametrize(("text", "sent"), [(b"~~", b"~"), (b"~~.", b"~."), (b"~/x", b"~/x"), (b"~\r~", b"~\r")])
def test_what_is_no_escape_is_sent_with_its_tilde(text: bytes, sent: bytes) -> None:
    assert EscapeFilter().feed(text) == Typed(sent)


def test_a_tilde_is_held_back_until_the_next_key() -> None:
    keys = EscapeFilter()
    assert keys.feed(b"~") == Typed(b"")
    assert keys.feed(b"a") == Typed(b"~a")
    assert keys.feed(b"~.") == Typed(b"~.")


def test_help_is_asked_for_and_the_line_still_begins() -> None:
    keys = EscapeFilter()
    assert keys.feed(b"~?") == Typed(b"", (EscapeAction.HELP,))
    assert keys.feed(b"~.") == Typed(b"", (EscapeAction.LEAVE,))


def test_the_two_bytes_of_a_line_end_after_a_tilde_begin_a_line() -> None:
    keys = EscapeFilter()
    assert keys.feed(b"~\r") == Typed(b"~\r")
    assert keys.feed(b"~.") == Typed(b"", (EscapeAction.LEAVE,))


def test_long_input_passes_unchanged_in_any_pieces() -> None:
    text = bytes(range(256)) * 20
    keys = EscapeFilter()
    keys.feed(b"x")
    sent = b"".join(keys.feed(text[at : at + 7]).data for at in range(0, len(text), 7))
    assert sent == text
