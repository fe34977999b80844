"""Tables, JSON and how moments are told."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click
import pytest

from genba_ide_bridge.cli.output import Column, ago, choose_columns, note, print_json, print_table, wrapped, yes_no
from tests.support.deaf_stderr import deaf_stderr

NOW = datetime(2026, 11, 23, tzinfo=UTC)

COLUMNS: list[Column[str]] = [Column("name", lambda row: row), Column("long name", lambda row: row * 2)]


def test_moments_are_told_relative_to_now() -> None:
    assert ago(NOW - timedelta(seconds=5), NOW) == "5s ago"
    assert ago(NOW - timedelta(minutes=90), NOW) == "1h ago"
    assert ago(NOW + timedelta(days=2), NOW) == "in 2d"
    assert ago(datetime(1, 1, 1, tzinfo=UTC), NOW) == "never"
    assert ago(None, NOW) == "never"


def test_columns_are_chosen_by_name_in_the_order_asked_for() -> None:
    def names(*requested: str) -> list[str]:
        return [column.name for column in choose_columns(COLUMNS, ["name"], requested)]

    assert names() == ["name"]
    assert names("Long Name, name") == names("long name", "name") == ["long name", "name"]
    with pytest.raises(click.BadParameter, match=r'no column "nope"\. Columns: name, long name\.'):
        names("nope")


def test_a_table_is_aligned_by_what_is_seen_and_ends_without_blanks(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS, ["a", "日本", ""])
    assert capsys.readouterr().out == "NAME  LONG NAME\na     aa\n日本  日本日本\n\n"


def test_json_keeps_letters_and_lists_can_be_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "ü"})
    assert capsys.readouterr().out == '{\n  "name": "ü"\n}\n'
    assert wrapped([1, None], "Template") == [{"Template": 1}, {"Template": None}]
    assert wrapped(None, "Template") == []
    assert (yes_no(True), yes_no(False)) == ("yes", "no")


def test_what_a_terminal_would_obey_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(COLUMNS[:1], ["a\x1b[31m\nb"])
    note("why: \x1b]52;c;aGk=\x07\nhint")
    print_json({"name": "\x1b\x9b\u202e", "ok": "\ud800"})
    said = capsys.readouterr()
    assert said.out.splitlines()[1] == "a\\x1b[31m\\nb"
    assert said.err == "why: \\x1b]52;c;aGk=\\x07\nhint\n"
    assert said.out.replace("\n", "").isprintable()
    assert json.loads(said.out.partition("{")[1] + said.out.partition("{")[2]) == {
        "name": "\x1b\x9b\u202e",
        "ok": "\ud800",
    }


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_note_that_nobody_reads_ends_nothing(monkeypatch: pytest.MonkeyPatch, is_terminal: bool) -> None:
    with deaf_stderr(monkeypatch, is_terminal=is_terminal):
        note("By the way.")
