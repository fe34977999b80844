from __future__ import annotations

from datetime import timedelta

import msgspec

from genba_gateway.domain.provisioning import AgentSpec, BuildResult, ResourceSpec
from genba_gateway.services.deployment_stats import REFRESH, WINDOW
from genba_gateway.store import agent_stats as stats_store
from genba_wire.api.deployment import ConnectionLatency, SessionStats
from tests.support.workshop import Workshop


async def report(workshop: Workshop, workspace_id: str, **stats: object) -> None:
    """Store what the workspace's agent counted."""
    async with workshop.database.write() as connection:
        (agent,) = await agent_ids(workshop, workspace_id)
        await stats_store.insert_stats(
            connection, agent_id=agent, workspace_id=workspace_id, stats=stats, now=workshop.clock()
        )


async def agent_ids(workshop: Workshop, workspace_id: str) -> list[str]:
    workspace = (await workshop.get(workshop.owner, f"/workspaces/{workspace_id}")).body
    return [agent["id"] for resource in workspace["latest_build"]["resources"] for agent in resource["agents"]]


async def add_running(workshop: Workshop, template: dict[str, object], name: str) -> str:
    agent = AgentSpec("main", "linux", "amd64", token=f"token of {name}")
    workshop.provisioner.answers.append(BuildResult(state=b"{}", resources=(ResourceSpec("t", "t", agents=(agent,)),)))
    workspace: str = (await workshop.add_workspace(template, name))["id"]
    return workspace


async def test_workspaces_are_counted_by_what_they_do(workshop: Workshop) -> None:
    template = await workshop.add_template()
    await add_running(workshop, template, "runs")
    stopped = await workshop.add_workspace(template, "stopped")
    await workshop.add_build(stopped, "stop")
    workshop.provisioner.answers.append(BuildResult(state=None, error="no"))
    await workshop.add_workspace(template, "failed")
    gone = await workshop.add_workspace(template, "gone")
    await workshop.add_build(gone, "delete")
    await workshop.add_workspace(template, "waits", run=False)
    found = (await workshop.services.deployment_usage.get()).workspaces
    counts = msgspec.to_builtins(found)
    assert {name: counts[name] for name in ("pending", "building", "running", "failed", "stopped")} == {
        "pending": 1,
        "building": 0,
        "running": 1,
        "failed": 1,
        "stopped": 1,
    }
    assert found.connection_latency_ms == ConnectionLatency(P50=-1, P95=-1)


async def test_sessions_are_those_of_last_reports_and_bytes_of_all_in_the_window(workshop: Workshop) -> None:
    template = await workshop.add_template()
    one, two = await add_running(workshop, template, "one"), await add_running(workshop, template, "two")
    await report(workshop, one, rx_bytes=1_000_000, session_count_ssh=9)
    workshop.clock.move(WINDOW.total_seconds() + 1)
    await report(workshop, one, rx_bytes=10, tx_bytes=1, session_count_ssh=5, connection_median_latency_ms=4.0)
    workshop.clock.move(30)
    await report(workshop, one, rx_bytes=20, tx_bytes=2, session_count_ssh=1, connection_median_latency_ms=-0.001)
    await report(workshop, two, rx_bytes=5, session_count_ssh=1, session_count_vscode=2, connection_median_latency_ms=8)
    found = await workshop.services.deployment_usage.get()
    assert (found.workspaces.rx_bytes, found.workspaces.tx_bytes) == (35, 3)
    assert found.session_count == SessionStats(vscode=2, ssh=2, jetbrains=0, reconnecting_pty=0)
    assert found.workspaces.connection_latency_ms == ConnectionLatency(P50=4.0, P95=8.0)
    assert found.aggregated_from == found.collected_at - WINDOW


async def test_the_database_is_not_asked_by_each_page(workshop: Workshop) -> None:
    usage, template = workshop.services.deployment_usage, await workshop.add_template()
    first = await usage.get()
    await add_running(workshop, template, "runs")
    assert first.next_update_at - first.collected_at == REFRESH
    workshop.clock.move((first.next_update_at - workshop.clock() - timedelta(seconds=1)).total_seconds())
    assert (await usage.get()) is first
    workshop.clock.move(1)
    assert (await usage.get()).workspaces.running == 1
