"""Questions: refused where nobody answers, asked again until the answer will do."""

from __future__ import annotations

import io

import click
import pytest

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.options import GlobalFlags


def forced() -> click.Context:
    """A call with --force-tty, which answers from stdin."""
    return click.Context(click.Command("x"), obj=GlobalFlags(force_tty=True))


def answer(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_nobody_is_asked_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "y\n")
    assert not prompts.can_ask()
    with pytest.raises(click.UsageError, match="Name: nobody can be asked here, so pass --name"):
        prompts.ask("Name", "--name")
    with pytest.raises(click.UsageError, match="pass --name"):
        prompts.ask_secret("Name", "--name")
    with pytest.raises(click.UsageError, match="pass --name"):
        prompts.choose("Name", "--name", [("a", "")])
    with pytest.raises(click.UsageError, match="pass --yes"):
        prompts.confirm("Sure?")


def test_a_terminal_can_be_forced_by_flag_and_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "")
    with forced():
        assert prompts.can_ask()
    with click.Context(click.Command("x"), obj=GlobalFlags()):
        assert not prompts.can_ask()
        monkeypatch.setenv("CODER_FORCE_TTY", "true")
        assert prompts.can_ask()


def test_a_wrong_answer_is_asked_again(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def check(text: str) -> str:
        if text != "right":
            raise click.UsageError("That is wrong.")
        return text.upper()

    answer(monkeypatch, "wrong\nright\n")
    with forced():
        assert prompts.ask("Word", "--word", check=check) == "RIGHT"
    assert "That is wrong." in capsys.readouterr().err


@pytest.mark.parametrize(("typed", "value"), [("2\n", "l"), ("s\n", "s"), ("\n", "l"), ("0\n3\nx\n1\n", "s")])
def test_a_choice_is_made_by_number_value_or_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: str, value: str
) -> None:
    answer(monkeypatch, typed)
    with forced():
        assert prompts.choose("Size", "--size", [("s", "Small"), ("l", "l")], default="l") == value
    assert "Size:\n  1) s  Small\n  2) l\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "default", "goes_on"), [("y\n", False, True), ("\n", False, False), ("\n", True, True)]
)
def test_only_a_yes_goes_on(monkeypatch: pytest.MonkeyPatch, typed: str, default: bool, goes_on: bool) -> None:
    answer(monkeypatch, typed)
    with forced():
        if goes_on:
            prompts.confirm("Sure?", default=default)
        else:
            with pytest.raises(click.Abort):
                prompts.confirm("Sure?", default=default)
