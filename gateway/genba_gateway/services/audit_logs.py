"""Reading the audit log: for owners (contract 2.3)."""

from __future__ import annotations

from typing import Final

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.audit_logs import AuditEntry
from genba_gateway.domain.audit_query import parse_audit_query
from genba_gateway.services.searches import refuse_bad_search
from genba_gateway.services.visibility import require
from genba_gateway.store import audit_logs as audit_store
from genba_gateway.store.engine import Database

MAX_PAGE: Final = 1_000
"""Entries in one answer, also where all are asked for: the log grows for years."""


class AuditLogs:
    """Use cases on the audit log; nobody changes it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_page(
        self, actor: UserActor, text: str, *, limit: int | None, offset: int
    ) -> tuple[list[AuditEntry], int]:
        """One page of what a search finds, newest first, and how many entries it finds in all.

        Raises:
            Forbidden: the actor is no owner.
            BadRequest: the search can't be understood; names the key.
        """
        require(actor, Resource.AUDIT_LOG, Action.READ, seen=True)
        with refuse_bad_search("audit"):
            query = parse_audit_query(text)
        async with self._database.read() as connection:
            return await audit_store.list_audit_logs(
                connection, query, limit=min(limit or MAX_PAGE, MAX_PAGE), offset=offset
            )
