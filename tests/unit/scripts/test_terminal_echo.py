"""Typing into a shell on a terminal."""

from __future__ import annotations

import os

import pytest

from scripts.failures import ScriptFailure
from scripts.terminal_echo import echo_in_terminal

WITHIN_S = 30.0
ENVIRONMENT = {"PATH": os.environ["PATH"], "TERM": "dumb"}


def test_a_shell_answers_and_ends() -> None:
    assert 0 < echo_in_terminal(["/bin/sh", "-i"], ENVIRONMENT, WITHIN_S) < WITHIN_S


def test_a_program_that_only_repeats_what_is_typed_is_no_shell() -> None:
    with pytest.raises(ScriptFailure, match="did not answer in time"):
        echo_in_terminal(["/bin/cat"], ENVIRONMENT, 0.1)


def test_a_program_that_ends_at_once_is_a_failure_with_its_words() -> None:
    with pytest.raises(ScriptFailure, match=r"(?s)ended without an answer: .*no way"):
        echo_in_terminal(["/bin/sh", "-c", "echo no way"], ENVIRONMENT, WITHIN_S)


def test_another_exit_code_than_zero_is_a_failure() -> None:
    with pytest.raises(ScriptFailure, match="exit code 3"):
        echo_in_terminal(["/bin/sh", "-c", "sh -i; exit 3"], ENVIRONMENT, WITHIN_S)
