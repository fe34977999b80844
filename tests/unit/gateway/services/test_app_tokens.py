"""What tokens are worth, in memory too. What requests with them get: test_app_access.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppTarget
from genba_gateway.domain.app_entry import AppEntry
from genba_gateway.services import app_tokens
from genba_gateway.services.app_tokens import MAX_TOKEN_CHARS, TOKEN_LIFE, AppTokens
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.tickets import Tickets
from tests.support.agent_rows import AgentRows, open_agent_rows

ADDRESS = AppAddress(AppOrigin.SUBDOMAIN, "ana", "dev", "main", "code", "/")
ENTRY = AppEntry(ADDRESS, "http://code--main--dev--ana.localhost:3000", "/", "")
OTHER = AppEntry(ADDRESS, "http://code--main--dev--bob.localhost:3000", "/", "")
TARGET = AppTarget(ADDRESS, "w", "a", "b", "http://localhost:1", "owner", "u", "k", is_owner=True)


@pytest.fixture
async def rows(tmp_path: Path) -> AsyncGenerator[AgentRows]:
    async with open_agent_rows(tmp_path) as opened:
        yield opened


def make_tokens(rows: AgentRows) -> AppTokens:
    return AppTokens(TicketKeys(rows.database, rows.sealer, rows.clock), rows.clock)


async def test_a_token_is_read_where_it_was_issued_for_a_minute_by_every_process(rows: AgentRows) -> None:
    tokens, replica = make_tokens(rows), make_tokens(rows)
    token = await tokens.issue(ENTRY, TARGET)
    for reader in (tokens, tokens, replica):
        assert await reader.read(token, ENTRY) == TARGET
        assert await reader.read(token, OTHER) is None
    rows.clock.move(TOKEN_LIFE.total_seconds())
    for reader in (tokens, replica, make_tokens(rows)):
        assert await reader.read(token, ENTRY) is None


async def test_what_was_read_is_recalled_where_it_was_read_and_as_long_as_it_is_good(rows: AgentRows) -> None:
    tokens = make_tokens(rows)
    token = await tokens.issue(ENTRY, TARGET)
    assert not tokens.has_read(token)
    assert await tokens.read(token, ENTRY) == TARGET
    assert tokens.has_read(token)
    assert tokens.recall(token, ENTRY) == TARGET
    assert tokens.recall(token, OTHER) is None
    rows.clock.move(TOKEN_LIFE.total_seconds())
    assert tokens.recall(token, ENTRY) is None


async def test_a_ticket_is_no_token(rows: AgentRows) -> None:
    keys = TicketKeys(rows.database, rows.sealer, rows.clock)
    ticket = await Tickets(keys, rows.clock).issue_agent_ticket("a", "b", "nonce")
    assert await AppTokens(keys, rows.clock).read(ticket, ENTRY) is None


async def test_long_tokens_are_not_looked_at(rows: AgentRows) -> None:
    tokens = make_tokens(rows)
    token = await tokens.issue(ENTRY, TARGET)
    assert len(token) < MAX_TOKEN_CHARS
    assert await tokens.read(token + "=" * (MAX_TOKEN_CHARS - len(token) + 1), ENTRY) is None


async def test_so_many_tokens_are_remembered_and_all_are_read(rows: AgentRows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_tokens, "MAX_REMEMBERED", 2)
    tokens, issued = make_tokens(rows), list[str]()
    for _ in range(3):
        rows.clock.move(1)
        issued.append(await tokens.issue(ENTRY, TARGET))
    for token in (*issued, *issued):
        assert await tokens.read(token, ENTRY) == TARGET
