"""That somebody uses a workspace: it is noted, and puts off the time at which the workspace stops by itself."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from genba_gateway.domain.actors import Action, Resource, UserActor
from genba_gateway.domain.channels import of_workspace
from genba_gateway.domain.deadlines import bump_deadline
from genba_gateway.errors import BadRequest, FieldProblem
from genba_gateway.services.visibility import Clock, not_found, require
from genba_gateway.store import agents as agent_store
from genba_gateway.store import builds as build_store
from genba_gateway.store import deadlines as deadline_store
from genba_gateway.store import workspaces as workspace_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer

APPS = frozenset({"vscode", "jetbrains", "reconnecting-pty", "ssh"})
"""Contract appendix C, UsageAppName."""


class Activity:
    """What clients report of their use of workspaces."""

    def __init__(self, database: Database, sealer: Sealer, pubsub: PubSub, now: Clock) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._now = now

    async def report_usage(self, actor: UserActor, workspace_id: str, agent_id: str = "", app_name: str = "") -> None:
        """Note that the actor uses a workspace.

        Args:
            agent_id, app_name: through which agent and with which app; both or neither.

        Raises:
            BadRequest: an unknown app, or only one of the two.
            NotFound: no such workspace, not the actor's to use, or the agent is not of it.
        """
        _check_app(agent_id, app_name)
        now = self._now()
        async with self._database.write(durable=False) as connection:
            workspace = await workspace_store.find_workspace(connection, workspace_id)
            if workspace is None or workspace.deleted:
                raise not_found()
            require(actor, Resource.WORKSPACE, Action.UPDATE, workspace.owner_id)
            if agent_id:
                agent = await agent_store.find_agent(connection, self._sealer, agent_id)
                if agent is None or agent.workspace_id != workspace_id:
                    raise not_found()
            await agent_store.touch_workspace(connection, workspace_id, now)
            is_put_off = await put_off_deadline(connection, workspace_id, now)
        if is_put_off:
            self._pubsub.publish(of_workspace(workspace_id))


async def put_off_deadline(connection: AsyncConnection, workspace_id: str, now: datetime) -> bool:
    """Let a running workspace stop later, as its template says; whether anything changed."""
    running = await deadline_store.find_running_deadline(connection, workspace_id)
    deadline = bump_deadline(running, now) if running is not None else None
    if running is None or deadline is None:
        return False
    await build_store.update_build(connection, running.build_id, {"deadline": deadline, "updated_at": now})
    return True


def _check_app(agent_id: str, app_name: str) -> None:
    problems: list[FieldProblem] = []
    if app_name and app_name not in APPS:
        problems.append(FieldProblem("app_name", f"{app_name!r} is none of {', '.join(sorted(APPS))}"))
    if bool(agent_id) != bool(app_name):
        absent = "app_name" if agent_id else "agent_id"
        problems.append(FieldProblem(absent, "agent_id and app_name belong together: give both or neither"))
    if problems:
        raise BadRequest("The use of a workspace can't be noted so.", validations=problems)
