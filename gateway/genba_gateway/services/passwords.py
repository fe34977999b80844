"""Passwords: the rule for new ones, argon2 hashes of kept ones."""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from genba_gateway.domain.password_rule import MAX_PASSWORD_BYTES, explain_weak_password
from genba_gateway.errors import BadRequest, FieldProblem

CONCURRENT_HASHES: Final = 2
"""Each takes 64 MiB and a core for some tens of milliseconds: a flood of sign-ins must not take the machine."""


class Passwords:
    """Hashes and verifies in threads.

    Args:
        hasher: argon2id with its library's parameters, unless a test wants cheaper ones.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turns = asyncio.Semaphore(CONCURRENT_HASHES)
        self._dummy_hash = ""

    def check(self, password: str) -> None:
        """Refuse a password that is too weak or too long.

        Raises:
            BadRequest: with the reason in `validations`; never with the password.
        """
        problem = explain_weak_password(password)
        if problem is not None:
            raise BadRequest(f"The password {problem}.", validations=[FieldProblem("password", problem)])

    async def hash(self, password: str) -> str:
        """What to keep of a password."""
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, password_hash: str, password: str) -> bool:
        """Whether the password is the right one. An empty hash is never matched, and takes as long as any other.

        So the answer's time does not tell whether a user exists or has a password.
        """
        if len(password.encode()) > MAX_PASSWORD_BYTES:
            return False  # for every user alike, existing or not
        if not self._dummy_hash:
            self._dummy_hash = await self.hash(secrets.token_urlsafe())
        async with self._turns:
            matched = await asyncio.to_thread(self._verify, password_hash or self._dummy_hash, password)
        return matched and bool(password_hash)

    def is_outdated(self, password_hash: str) -> bool:
        """Whether a hash was made with other parameters than those in use."""
        return self._hasher.check_needs_rehash(password_hash)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
