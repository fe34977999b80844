"""What agents ask for and report (contract 1.2 to 1.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, Protocol

from genba_gateway.domain.actors import AgentActor
from genba_gateway.domain.agent_reports import SUBSYSTEMS, MetadataItem, MetadataValue, cut_metadata, is_version
from genba_gateway.domain.agents import Agent, AppHealth, LifecycleState, times_after
from genba_gateway.domain.channels import of_agent_metadata, of_workspace
from genba_gateway.domain.derp import make_derp_map
from genba_gateway.errors import BadRequest, FieldProblem, NotFound, Unauthenticated
from genba_gateway.services.activity import put_off_deadline
from genba_gateway.services.times import to_utc
from genba_gateway.services.visibility import Clock
from genba_gateway.store import agent_metadata as metadata_store
from genba_gateway.store import agent_stats as stats_store
from genba_gateway.store import agents as agent_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer

HTTP_API_VERSION: Final = "1.0"
"""The agent API that agents without dRPC speak."""

_REPORTABLE_HEALTH: Final = frozenset({AppHealth.INITIALIZING, AppHealth.HEALTHY, AppHealth.UNHEALTHY})


MAX_PATH_CHARS: Final = 4096
"""Of Linux's paths (PATH_MAX)."""


class GitSshKeys(Protocol):
    """Where users' git keys are kept."""

    async def get_private_key(self, owner_id: str) -> tuple[str, str]:
        """The user's public key and private key, both in OpenSSH's format."""
        ...


class AgentReports:
    """One method a report. Each says to watchers what changed, after its commit."""

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        pubsub: PubSub,
        git_ssh_keys: GitSshKeys,
        *,
        access_url: str,
        now: Clock,
    ) -> None:
        self._database = database
        self._sealer = sealer
        self._pubsub = pubsub
        self._git_ssh_keys = git_ssh_keys
        self.derp_map = make_derp_map(access_url)
        self._now = now

    async def get_manifest(self, actor: AgentActor) -> tuple[Agent, list[MetadataItem]]:
        """All that the agent has to know."""
        async with self._database.read() as connection:
            agent = await agent_store.find_agent(connection, self._sealer, actor.agent_id)
            items = await metadata_store.list_metadata(connection, actor.agent_id)
        if agent is None:
            raise Unauthenticated("This agent is gone.")
        return agent, items

    async def get_git_ssh_key(self, actor: AgentActor) -> tuple[str, str]:
        """The owner's public and private git key."""
        return await self._git_ssh_keys.get_private_key(actor.owner_id)

    async def report_startup(
        self, actor: AgentActor, *, version: str, expanded_directory: str, subsystems: Sequence[str]
    ) -> None:
        """Note what the agent is.

        Raises:
            BadRequest: no semantic version, a directory that is no path, or a subsystem that is unknown or named twice.
        """
        problems: list[FieldProblem] = []
        if not is_version(version):
            problems.append(FieldProblem("version", f"{version!r} is not a semantic version that begins with v"))
        problems += [
            FieldProblem("subsystems", f"{name!r} is unknown") for name in subsystems if name not in SUBSYSTEMS
        ]
        if len(expanded_directory) > MAX_PATH_CHARS:
            problems.append(FieldProblem("expanded_directory", f"it is longer than {MAX_PATH_CHARS} characters"))
        if len(set(subsystems)) < len(subsystems):
            problems.append(FieldProblem("subsystems", "one is named twice"))
        if problems:
            raise BadRequest("The agent's startup report can't be used.", validations=problems)
        values = {
            "version": version,
            "expanded_directory": expanded_directory,
            "subsystems": sorted(subsystems),
            "api_version": HTTP_API_VERSION,
        }
        await self._update(actor, values)

    async def report_lifecycle(self, actor: AgentActor, state: str, changed_at: datetime) -> None:
        """Note where the agent is between its start and its end.

        Args:
            changed_at: by the agent's clock; the zero time means now.

        Raises:
            BadRequest: an unknown state.
        """
        try:
            lifecycle = LifecycleState(state)
        except ValueError:
            raise BadRequest(
                "The lifecycle state is unknown.", validations=[FieldProblem("state", f"{state!r} is no state")]
            ) from None
        now, at = self._now(), to_utc(changed_at, "changed_at")
        async with self._database.write() as connection:
            times = await agent_store.get_lifecycle_times(connection, actor.agent_id)
            times = times_after(lifecycle, times, at if at.year > 1 else now)
            values = {"lifecycle_state": lifecycle.value, "started_at": times.started_at, "ready_at": times.ready_at}
            await agent_store.update_agent(connection, actor.agent_id, {**values, "updated_at": now})
        self._pubsub.publish(of_workspace(actor.workspace_id))

    async def report_stats(
        self, actor: AgentActor, stats: Mapping[str, object], *, is_used: bool, is_connected: bool
    ) -> None:
        """Store what the agent counted since its last report.

        Args:
            actor: the agent.
            stats: what it counted.
            is_used: some session is open, so that the workspace counts as used.
            is_connected: some connection is open, which puts off the workspace's deadline.
        """
        now, is_put_off = self._now(), False
        async with self._database.write(durable=False) as connection:
            await stats_store.insert_stats(
                connection, agent_id=actor.agent_id, workspace_id=actor.workspace_id, stats=stats, now=now
            )
            if is_used:
                await agent_store.touch_workspace(connection, actor.workspace_id, now)
            if is_connected:
                is_put_off = await put_off_deadline(connection, actor.workspace_id, now)
        if is_put_off:
            self._pubsub.publish(of_workspace(actor.workspace_id))

    async def report_metadata(self, actor: AgentActor, values: Sequence[MetadataValue]) -> int:
        """Store collected values, cut to size, with the gateway's time; unknown keys are passed over.

        Returns:
            How many were stored.
        """
        if not values:
            return 0
        cut = [cut_metadata(each) for each in values]
        async with self._database.write(durable=False) as connection:
            stored = await metadata_store.update_metadata(connection, actor.agent_id, cut, self._now())
        if stored:
            self._pubsub.publish(of_agent_metadata(actor.agent_id))
        return stored

    async def report_metadata_key(self, actor: AgentActor, value: MetadataValue) -> None:
        """Store one collected value.

        Raises:
            NotFound: the agent has no such key.
        """
        if not await self.report_metadata(actor, [value]):
            raise NotFound(f"The agent has no metadata {value.key!r}.")

    async def report_app_health(self, actor: AgentActor, healths: Mapping[str, str]) -> None:
        """Store the health of apps, all or none.

        Raises:
            BadRequest: no app at all, or an unknown health.
            NotFound: an app that is not the agent's, or that has no health check.
        """
        if not healths:
            raise BadRequest("No app is named.", validations=[FieldProblem("Healths", "it is empty")])
        unknown = [health for health in healths.values() if health not in _REPORTABLE_HEALTH]
        if unknown:
            raise BadRequest("The health is unknown.", validations=[FieldProblem("Healths", f"{unknown[0]!r}")])
        async with self._database.write() as connection:
            known = await agent_store.list_app_healths(connection, actor.agent_id)
            missing = sorted(healths.keys() - known.keys())
            if missing:
                raise NotFound(f"The agent has no app {missing[0]} with a health check.")
            changed = {app_id: health for app_id, health in healths.items() if known[app_id] != health}
            for app_id, health in changed.items():
                await agent_store.update_app_health(connection, app_id, health)
        if changed:
            self._pubsub.publish(of_workspace(actor.workspace_id))

    async def _update(self, actor: AgentActor, values: Mapping[str, object]) -> None:
        async with self._database.write() as connection:
            await agent_store.update_agent(connection, actor.agent_id, {**values, "updated_at": self._now()})
        self._pubsub.publish(of_workspace(actor.workspace_id))
