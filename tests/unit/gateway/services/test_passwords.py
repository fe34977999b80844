"""Hashes, and what an attacker can't tell from them."""

from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher

from genba_gateway.errors import BadRequest
from genba_gateway.services.passwords import Passwords

PASSWORD = "correct horse battery staple"


class CountingHasher(PasswordHasher):
    """Cheap, and remembers what was verified."""

    def __init__(self, time_cost: int = 1) -> None:
        super().__init__(time_cost=time_cost, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # the library's name
        """Remember and verify."""
        self.verified.append(str(hash))
        return super().verify(hash, password)


async def test_a_password_is_verified_against_its_hash_only() -> None:
    passwords = Passwords(CountingHasher())
    kept = await passwords.hash(PASSWORD)
    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert await passwords.verify(kept, PASSWORD) is True
    assert await passwords.verify(kept, PASSWORD + "r") is False
    assert await passwords.hash(PASSWORD) != kept


async def test_an_absent_user_costs_a_verification_with_the_same_work() -> None:
    hasher = CountingHasher()
    passwords = Passwords(hasher)
    kept = await passwords.hash(PASSWORD)
    assert await passwords.verify("", PASSWORD) is False
    (dummy,) = hasher.verified
    assert dummy.split("$")[:4] == kept.split("$")[:4]
    await passwords.verify("", PASSWORD)
    assert hasher.verified == [dummy, dummy]


async def test_no_password_opens_a_user_without_one() -> None:
    assert await Passwords(CountingHasher()).verify("", "") is False


async def test_a_damaged_hash_matches_nothing() -> None:
    assert await Passwords(CountingHasher()).verify("$argon2id$damaged", PASSWORD) is False


async def test_an_endless_password_is_refused_before_any_work() -> None:
    hasher = CountingHasher()
    passwords = Passwords(hasher)
    kept = await passwords.hash("x" * 64)
    assert await passwords.verify(kept, "x" * 64) is True
    assert await passwords.verify(kept, "x" * 65) is False
    assert len(hasher.verified) == 1


async def test_a_hash_of_other_parameters_is_outdated() -> None:
    kept = await Passwords(CountingHasher()).hash(PASSWORD)
    assert Passwords(CountingHasher()).is_outdated(kept) is False
    assert Passwords(CountingHasher(time_cost=2)).is_outdated(kept) is True


def test_a_weak_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadRequest) as caught:
        Passwords(CountingHasher()).check("hunter22")
    assert "hunter22" not in repr(caught.value) + repr(caught.value.validations)
