"""Which values are sent with a build, where nobody can be asked."""

from __future__ import annotations

import io

import click
import pytest

from genba_ide_bridge.cli.options import GlobalFlags
from genba_ide_bridge.cli.parameter_choice import ask_value, choose_values
from genba_ide_bridge.cli.parameters import GivenValues
from genba_wire.api.workspaces import BuildParameter
from tests.support.cli_builders import make_parameter


@pytest.fixture(autouse=True)
def nobody_to_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genba_ide_bridge.cli.prompts.can_ask", lambda: False)


def test_defaults_and_previous_values_are_left_to_the_gateway() -> None:
    parameters = [make_parameter(name="a", default_value="x"), make_parameter(name="b", required=True)]
    assert choose_values(parameters, GivenValues(), {"b": "old"}) == []


def test_given_values_win_over_previous_and_proposed_ones() -> None:
    given = GivenValues(values={"a": "given"}, defaults={"a": "proposed", "b": "proposed", "c": "proposed"})
    parameters = [make_parameter(name=name) for name in "abc"]
    assert choose_values(parameters, given, {"a": "old", "c": "old"}) == [
        BuildParameter(name="a", value="given"),
        BuildParameter(name="b", value="proposed"),
    ]


def test_a_required_value_that_is_new_has_to_be_given() -> None:
    parameters = [make_parameter(required=True)]
    with pytest.raises(click.UsageError, match="--parameter size=VALUE"):
        choose_values(parameters, GivenValues(), {})
    assert choose_values(parameters, GivenValues(defaults={"size": "s"}), {}) == [
        BuildParameter(name="size", value="s")
    ]


def test_values_for_one_build_are_sent_only_when_given() -> None:
    parameters = [make_parameter(name="debug", ephemeral=True, required=True)]
    assert choose_values(parameters, GivenValues(), {"debug": "old"}) == []
    assert choose_values(parameters, GivenValues(ephemeral={"debug": "1"}), None)[0].value == "1"
    with pytest.raises(click.UsageError, match="not for one build only"):
        choose_values([make_parameter()], GivenValues(ephemeral={"size": "1"}), None)


def test_an_unknown_name_is_told_with_those_that_are() -> None:
    with pytest.raises(click.UsageError, match=r'no parameter "x". It has: size\.'):
        choose_values([make_parameter()], GivenValues(values={"x": "1"}), None)


def test_wrong_values_are_refused_before_they_are_sent() -> None:
    with pytest.raises(click.UsageError, match="is a number"):
        choose_values([make_parameter(type="number")], GivenValues(values={"size": "x"}), None)


def test_what_a_template_says_of_a_parameter_is_shown_and_not_obeyed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("genba_ide_bridge.cli.prompts.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", io.StringIO("s\n"))
    parameter = make_parameter(description_plaintext="How big.\n\x1b[2JOr not.\n", display_name="Size\x1b[A")
    with click.Context(click.Command("x"), obj=GlobalFlags(force_tty=True)):
        assert ask_value(parameter, None) == "s"
    shown = "".join(capsys.readouterr())
    assert "How big.\n\\x1b[2JOr not.\nSize\\x1b[A: " in shown
    assert "\x1b" not in shown
