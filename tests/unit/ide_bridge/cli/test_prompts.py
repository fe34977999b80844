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


OBEYED = "\x1b]52;c;eA==\x07\x9b2J\u202e"
"""It sets a clipboard, erases the screen and turns the direction."""


def test_nothing_in_a_question_is_obeyed_by_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(text: str) -> str:
        if text != "right":
            raise click.UsageError(f"It is not {OBEYED}")
        return text

    answer(monkeypatch, "wrong\nright\n1\ny\n")
    with forced():
        assert prompts.ask(f"Word {OBEYED}", "--word", default=f"a{OBEYED}", check=check) == "right"
        choices = [(f"s{OBEYED}", f"Small{OBEYED}\n  2) x"), ("l", "")]
        assert prompts.choose(f"Size {OBEYED}", "--size", choices, default=f"d{OBEYED}") == f"s{OBEYED}"
        prompts.confirm(f"Sure {OBEYED}?")
    shown = "".join(capsys.readouterr())
    assert all(char.isprintable() or char == "\n" for char in shown)
    assert shown.count("\\x1b]52;c;eA==\\x07\\x9b2J\\u202e") == 10
    assert shown.count("\n  2) ") == shown.count("\n  2) l\n") == 1


def test_a_secret_is_asked_for_without_what_a_terminal_obeys(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def read(text: str) -> str:
        asked.append(text)
        return "s3cret"

    monkeypatch.setattr("click.termui.hidden_prompt_func", read)
    with forced():
        assert prompts.ask_secret(f"Token {OBEYED}", "--token") == "s3cret"
    assert all(text.isprintable() for text in asked)


def test_an_empty_line_is_the_default_as_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer(monkeypatch, "\n")
    with forced():
        assert prompts.ask("Word", "--word", default="a\tb") == "a\tb"
    assert "Word [a\\tb]: " in "".join(capsys.readouterr())
