"""How hard a password is to guess: the contract's entropy rule (contract 5.2, "Password rule").

The entropy is log2(size of the alphabet) for each character that counts. The alphabet is the sum of the classes that
the password draws from. Of a run of equal characters, or of neighbours in the alphabet, among the digits or on a
keyboard's row, in either direction, only the first two count, since the rest is guessed from them.
"""

from __future__ import annotations

import math
from typing import Final

MIN_ENTROPY_BITS: Final = 52.0
MAX_PASSWORD_BYTES: Final = 64
COUNTED_OF_A_RUN: Final = 2

_CLASSES: Final = (
    "abcdefghijklmnopqrstuvwxyz",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "!@$&*",
    "_-., ",
    "\"#%'()+/:;<=>?[\\]^{|}~",
)
_ROWS: Final = ("abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiop", "asdfghjkl", "zxcvbnm")


def explain_weak_password(password: str) -> str | None:
    """What is wrong with a password, or None."""
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        return f"must have at most {MAX_PASSWORD_BYTES} bytes"
    if entropy_bits(password) < MIN_ENTROPY_BITS:
        return "is too easy to guess: make it longer, or mix letters, digits and other characters"
    return None


def entropy_bits(password: str) -> float:
    """The estimate that the rule compares."""
    alphabet = sum(len(each) for each in _CLASSES if not set(each).isdisjoint(password))
    alphabet += len(set(password) - set("".join(_CLASSES)))
    return math.log2(alphabet) * _counted_characters(password) if alphabet else 0.0


def _counted_characters(password: str) -> int:
    counted = 0
    run_step: tuple[str, int] | None = None
    run_length = 1
    for index, character in enumerate(password.lower()):
        step = _step(password[index - 1].lower(), character) if index else None
        run_length = run_length + 1 if step is not None and (step == run_step or run_length == 1) else 1
        if run_length == 1 and step is not None:
            run_length = 2  # the previous character begins another run with this one
        run_step = step
        if run_length <= COUNTED_OF_A_RUN:
            counted += 1
    return counted


def _step(before: str, after: str) -> tuple[str, int] | None:
    if before == after:
        return "", 0
    for row in _ROWS:
        if before in row and after in row:
            distance = row.index(after) - row.index(before)
            if abs(distance) == 1:
                return row, distance
    return None
