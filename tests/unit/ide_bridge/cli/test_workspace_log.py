"""`genba logs` against a gateway that goes away and comes back."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli_builders import make_agent, make_build, make_job, make_resource, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba, running_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_following_survives_restarts_with_every_line_once_and_in_order(tmp_path: Path) -> None:
    agent = make_agent()
    build = make_build(job=make_job(status="running"), status="starting", resources=[make_resource([agent])])
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace(latest_build=build))
        gateway.say(build.id, "build line 1")
        async with running_genba("logs", "-f", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "build line 1\n" in genba.out)
            await gateway.stop()
            gateway.say(build.id, "build line 2")
            await genba.wait_until(lambda: "is away" in genba.err)
            await gateway.start()
            await genba.wait_until(lambda: "build line 2\n" in genba.out)
            gateway.say(build.id, "build line 3")
            gateway.set_job(build.id, "succeeded")
            gateway.say_as_agent(agent.id, "agent line 1")
            await genba.wait_until(lambda: "agent line 1\n" in genba.out)
            await gateway.stop()
            gateway.say_as_agent(agent.id, "agent line 2")
            await genba.wait_until(lambda: genba.err.count("is away;") == 2)
            await gateway.start()
            await genba.wait_until(lambda: "agent line 2\n" in genba.out)

            second = gateway.add_build(workspace.id, transition="stop", job=make_job(status="running"))
            gateway.say_as_agent(agent.id, "agent line 3")
            gateway.say(second.id, "stopping line 1", stage="Stopping workspace")
            await genba.wait_until(lambda: "stopping line 1\n" in genba.out)
            gateway.say_as_agent(agent.id, "agent line 4")
            gateway.set_job(second.id, "succeeded")
            await genba.wait_until(lambda: "agent line 4\n" in genba.out and "Waiting" in genba.err)

            third = gateway.add_build(workspace.id, transition="delete", job=make_job(status="running"))
            gateway.say(third.id, "deleting line 1", stage="Destroying workspace")
            gateway.set_job(third.id, "succeeded")
            await genba.wait_until(lambda: "was deleted" in genba.err)
            assert await genba.process.wait() == 0
    lines = genba.out.splitlines()
    assert [line for line in lines if not line.startswith("agent")] == [
        "==> Starting workspace",
        "build line 1",
        "build line 2",
        "build line 3",
        "==> Stopping workspace",
        "stopping line 1",
        "==> Destroying workspace",
        "deleting line 1",
    ]
    assert [line for line in lines if line.startswith("agent")] == [f"agent line {n}" for n in (1, 2, 3, 4)]
    assert genba.err.count("is away;") == genba.err.count("The gateway is back.") == 2


async def test_builds_that_came_and_went_during_an_outage_are_all_shown(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        gateway.say(workspace.latest_build.id, "first")
        async with running_genba("logs", "-f", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "first\n" in genba.out)
            await gateway.stop()
            for line in ("second", "third"):
                build = gateway.add_build(workspace.id, transition="stop")
                gateway.say(build.id, line)
            await gateway.start()
            await genba.wait_until(lambda: "third\n" in genba.out)
    assert [line for line in genba.out.splitlines() if not line.startswith("=")] == ["first", "second", "third"]


async def test_a_gateway_without_the_watch_is_polled(tmp_path: Path) -> None:
    async with running_cli_gateway(has_watch=False) as gateway:
        workspace = gateway.add_workspace(make_workspace())
        async with running_genba("logs", "-f", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "Waiting" in genba.err)
            build = gateway.add_build(workspace.id, transition="stop")
            gateway.say(build.id, "second")
            await genba.wait_until(lambda: "second\n" in genba.out)


async def test_without_follow_the_latest_build_and_its_agents_are_printed(tmp_path: Path) -> None:
    agents = [make_agent(name="one"), make_agent(name="two")]
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=make_build(resources=[make_resource(agents)])))
        build = next(iter(gateway.builds.values()))
        gateway.say(build.id, "", stage="Setting up")
        gateway.say(build.id, "built", stage="Setting up")
        gateway.say_as_agent(agents[0].id, "from one")
        gateway.say_as_agent(agents[1].id, "from two")
        everything = await run_genba("logs", "dev", folder=tmp_path, env=session(gateway))
        assert everything.out.splitlines() == ["==> Setting up", "built", "[one] from one", "[two] from two"]
        assert everything.code == 0

        for arguments in (["dev", "--agent", "two"], ["dev.two"]):
            of_one = await run_genba("logs", *arguments, folder=tmp_path, env=session(gateway))
            assert of_one.out.splitlines() == ["from two"]


async def test_an_agent_or_build_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    build = make_build(resources=[make_resource([make_agent(name="one")])])
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build))
        absent = await run_genba("logs", "dev.three", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err) == (
            1,
            'error: Build 1 of dev has no agent "three".\nIts agents: one.\n',
        )
        too_far = await run_genba("logs", "dev", "--build", "9", folder=tmp_path, env=session(gateway))
        assert (too_far.code, too_far.err) == (1, "error: dev has no build 9.\nIts latest build is 1.\n")


async def test_following_stops_with_an_error_when_the_session_ends(tmp_path: Path) -> None:
    build = make_build(job=make_job(status="running"), status="starting")
    async with running_cli_gateway() as gateway:
        gateway.add_workspace(make_workspace(latest_build=build))
        gateway.say(build.id, "line")
        async with running_genba("logs", "-f", "dev", folder=tmp_path, env=session(gateway)) as genba:
            await genba.wait_until(lambda: "line\n" in genba.out)
            gateway.token = "klmnopqrst-abcdefghijklmnopqrstuv"
            await gateway.stop()
            await gateway.start()
            assert await genba.process.wait() == 1
            await genba.wait_until(lambda: f"Run `genba login {gateway.url}`." in genba.err)
