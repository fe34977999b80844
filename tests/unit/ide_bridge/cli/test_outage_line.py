"""What is said while the connection is lost."""

from __future__ import annotations

import pytest

from genba_ide_bridge.cli.outage_line import OutageLine
from tests.support.deaf_stderr import deaf_stderr


def shown(*, is_screen: bool, is_raw: bool = True) -> tuple[OutageLine, list[str]]:
    written: list[str] = []
    return OutageLine(is_screen=is_screen, is_raw=is_raw, write=written.append), written


def test_on_a_screen_the_words_are_erased_from_where_they_began() -> None:
    line, written = shown(is_screen=True)
    line.show("the peer closed it")
    line.hide(is_back=True)
    assert "[genba: connection lost, reconnecting…]" in written[0]
    assert written[0].startswith("\x1b7")
    assert written[0].endswith("\x1b8")
    assert "\n" not in written[0]
    assert written[1] == "\x1b[K"
    assert not line.is_shown


def test_a_longer_outage_names_its_reason_on_one_line() -> None:
    line, written = shown(is_screen=True)
    line.show("lost")
    line.show("Can't reach\nthe gateway")
    assert "Can't reach the gateway" in written[1]
    assert written[1].startswith("\x1b[K")


def test_elsewhere_one_line_tells_of_the_loss_and_one_of_the_return() -> None:
    line, written = shown(is_screen=False, is_raw=False)
    line.show("lost")
    line.show("another reason")
    line.hide(is_back=True)
    assert written == ["[genba: connection lost, reconnecting…]\n", "[genba: connected again]\n"]


def test_an_end_during_an_outage_is_no_return() -> None:
    line, written = shown(is_screen=False)
    line.show("lost")
    line.hide(is_back=False)
    assert written == ["[genba: connection lost, reconnecting…]\r\n"]


def test_without_an_outage_nothing_is_written() -> None:
    line, written = shown(is_screen=True)
    line.hide(is_back=True)
    assert written == []


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_stderr_that_is_gone_ends_nothing(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    with deaf_stderr(monkeypatch, is_terminal=is_terminal):
        line = OutageLine(is_screen=is_terminal, is_raw=is_terminal)
        line.show("lost")
        line.hide(is_back=True)
