"""How many people used workspaces on each day, by the accounts of usage (contract, appendix A)."""

from __future__ import annotations

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.daily_users import MAX_OFFSET, MIN_OFFSET, begin_of, count_by_day, find_first_day
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.templates import Templates
from genba_gateway.services.visibility import Clock, require
from genba_gateway.store import daily_users as use_store
from genba_gateway.store.engine import Database
from genba_wire.api.insights import DAUEntry, DAUsResponse


class DailyUsers:
    """Counts users by days."""

    def __init__(self, database: Database, templates: Templates, now: Clock) -> None:
        self._database = database
        self._templates = templates
        self._now = now

    async def count(self, actor: UserActor, offset: str) -> DAUsResponse:
        """Of all workspaces; `offset` is the time zone, or empty for UTC.

        Raises:
            BadRequest: no time zone is so far from UTC; or it is no number.
            Forbidden: not the actor's to see.
        """
        require(actor, Resource.DEPLOYMENT_STATS, Action.READ, seen=True)
        return await self._count(offset)

    async def count_of_template(self, actor: UserActor, template_id: str, offset: str) -> DAUsResponse:
        """Of one template's workspaces, for who may change it.

        Raises:
            BadRequest: likewise.
            NotFound, Forbidden: no such template, or not the actor's to change.
        """
        template = await self._templates.get(actor, template_id)
        require(actor, Resource.TEMPLATE, Action.UPDATE, seen=True)
        return await self._count(offset, template.id)

    async def _count(self, text: str, template_id: str = "") -> DAUsResponse:
        offset = _read_offset(text)
        first = find_first_day(self._now(), offset)
        async with self._database.read() as connection:
            uses = await use_store.list_uses(connection, begin_of(first, offset), template_id)
        counts = count_by_day(uses, first, offset)
        entries = [DAUEntry(date=day.isoformat(), amount=count) for day, count in counts.items()]
        return DAUsResponse(entries=entries, tz_hour_offset=offset)


def _read_offset(text: str) -> int:
    try:
        offset = int(text or "0")
    except ValueError:
        offset = MIN_OFFSET - 1
    if not MIN_OFFSET <= offset <= MAX_OFFSET:
        wrong = f"must be whole hours from {MIN_OFFSET} to {MAX_OFFSET}, from local time to UTC: -9 for Tokyo"
        raise BadRequest(f"tz_offset {wrong}.", validations=[FieldProblem("tz_offset", wrong)])
    return offset
