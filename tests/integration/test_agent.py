"""The agent's process against a gateway on real sockets."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest

from genba_wire.tunnel.frames import Command, encode
from genba_wire.version import VERSION
from tests.support.agent_builders import make_app, make_manifest, make_metadata, make_script
from tests.support.agent_gateway import CEILING_S, TOKEN, AgentGateway, running_gateway
from tests.support.waiting import eventually

SOURCE = "7e1d6e0a-40b3-4f3f-8a52-0d7f6f3e0001"
OTHER_SOURCE = "7e1d6e0a-40b3-4f3f-8a52-0d7f6f3e0002"


def agent_environ(gateway: AgentGateway, folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "CODER_AGENT_URL": gateway.url,
        "CODER_AGENT_TOKEN": TOKEN,
        "CODER_AGENT_LOG_DIR": str(folder / "logs"),
        "CODER_AGENT_SCRIPT_DATA_DIR": str(folder / "data"),
        **(extra or {}),
    }


@asynccontextmanager
async def running_agent(
    gateway: AgentGateway, folder: Path, extra: Mapping[str, str] | None = None, started_by: Sequence[str] = ()
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """An agent's process, killed at the end if the test did not end it; `started_by` is a command that becomes it."""
    command = [*started_by, sys.executable, "-m", "genba_agent"]
    with (folder / "stderr").open("ab") as stderr:
        process = await asyncio.create_subprocess_exec(
            *command, env=agent_environ(gateway, folder, extra), stderr=stderr, stdout=stderr
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def end(process: asyncio.subprocess.Process, number: signal.Signals = signal.SIGTERM) -> int:
    process.send_signal(number)
    async with asyncio.timeout(CEILING_S):
        return await process.wait()


async def test_agent_lives_through_all_states_and_ends_with_0(tmp_path: Path) -> None:
    start = make_script("echo begin; echo oops >&2", source_id=SOURCE)
    stop = make_script("echo end", source_id=OTHER_SOURCE, run_on_start=False, run_on_stop=True)
    manifest = make_manifest(scripts=[start, stop], directory="~/src")
    async with running_gateway(manifest) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle and gateway.open_controls == 1)
        assert await end(agent) == 0
        assert gateway.lifecycle[0] == "created"
        # Connecting resends the latest state, so one may show twice.
        assert list(dict.fromkeys(gateway.lifecycle)) == ["created", "starting", "ready", "shutting_down", "off"]
        assert gateway.output_of(SOURCE, "info") == ["begin"]
        assert gateway.output_of(SOURCE, "error") == ["oops"]
        assert gateway.output_of(OTHER_SOURCE) == ["end"]
        assert gateway.startups == [{"version": VERSION, "expanded_directory": str(tmp_path / "src")}]
        assert gateway.stats[0]["connections_by_proto"] is None
        await gateway.wait_for(lambda: gateway.open_controls == 0)
    log_file = tmp_path / "logs" / f"coder-script-{SOURCE}.log"
    assert sorted(log_file.read_text().splitlines()) == ["begin", "oops"]
    assert log_file.stat().st_mode & 0o777 == 0o600
    own_log = (tmp_path / "logs" / "coder-agent.log").read_text()
    assert "Lifecycle: off" in own_log
    assert TOKEN not in own_log + (tmp_path / "stderr").read_text()


async def test_agent_waits_for_a_gateway_that_does_not_know_its_token_yet(tmp_path: Path) -> None:
    async with running_gateway(make_manifest()) as gateway:
        gateway.token = "not known yet"
        async with running_agent(gateway, tmp_path) as agent:
            await gateway.wait_for(lambda: len([r for r in gateway.requests if r.path.endswith("/manifest")]) >= 3)
            await gateway.wait_for(lambda: len([r for r in gateway.requests if r.path.endswith("/control")]) >= 3)
            assert gateway.control_connections == 0
            gateway.token = TOKEN
            await gateway.wait_for(lambda: "ready" in gateway.lifecycle and gateway.open_controls == 1)
            assert await end(agent) == 0


async def test_agent_started_before_its_gateway_connects_when_it_comes(tmp_path: Path) -> None:
    async with running_gateway(make_manifest()) as gateway:
        await gateway.stop()
        async with running_agent(gateway, tmp_path) as agent:
            await wait_for_text(tmp_path / "stderr", "Can't reach the gateway")
            await gateway.start()
            await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
            assert await end(agent) == 0


async def test_agent_told_to_stop_before_it_has_a_manifest_ends(tmp_path: Path) -> None:
    async with running_gateway(make_manifest()) as gateway:
        await gateway.stop()
        async with running_agent(gateway, tmp_path) as agent:
            await wait_for_text(tmp_path / "stderr", "Can't reach the gateway")
            assert await end(agent) == 0


async def test_lines_arrive_once_and_in_order_over_gateway_restarts(tmp_path: Path) -> None:
    """The gateway dies in mid-stream, three times, once after storing a batch that it never acknowledged."""
    count = 3000
    # Paced by the test, through a pipe, so that the stream is alive while the gateway goes.
    fifo = tmp_path / "pace"
    os.mkfifo(fifo)
    writer = make_script(f'exec 3<"{fifo}"; while read -r n <&3; do echo "line $n"; done', source_id=SOURCE)
    steady = make_script(f"for n in $(seq {count}); do echo other $n; done", source_id=OTHER_SOURCE)
    manifest = make_manifest(scripts=[writer, steady])
    async with running_gateway(manifest) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "starting" in gateway.lifecycle)
        pace = await asyncio.to_thread(fifo.open, "w", buffering=1)
        sent = 0
        with pace:
            for restart in range(3):
                pace.writelines(f"{n}\n" for n in range(sent, sent + 50))
                sent += 50
                await gateway.wait_for(partial(has_more_than, gateway, restart * 100))
                gateway.abort_next("logs")
                await gateway.stop()
                pace.writelines(f"{n}\n" for n in range(sent, sent + 50))
                sent += 50
                await gateway.start()
                await gateway.wait_for(lambda: gateway.open_controls == 1)
            gateway.fail_next("logs", 503, times=2)
            gateway.fail_next("logs", 502)
            gateway.abort_next("logs", times=2)
            pace.writelines(f"{n}\n" for n in range(sent, sent + 50))
            sent += 50
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
        assert await end(agent) == 0
        assert gateway.output_of(SOURCE) == [f"line {n}" for n in range(sent)]
        assert gateway.output_of(OTHER_SOURCE) == [f"other {n + 1}" for n in range(count)]
        assert gateway.control_connections == 4
        assert gateway.missing_numbers == 0


async def test_lines_of_a_killed_agent_are_delivered_by_the_next_one(tmp_path: Path) -> None:
    fifo = tmp_path / "pace"
    os.mkfifo(fifo)
    script = make_script(f"echo first; read -r go <'{fifo}'; seq 500; echo all written", source_id=SOURCE)
    agent_id = "b3d1b7ee-9d5b-4f0f-9c3c-fd5f7fd5a001"
    journals = tmp_path / "data"
    async with running_gateway(make_manifest(agent_id=agent_id, scripts=[script])) as gateway:
        # The first batch is stored and never answered, the others never come.
        gateway.logs_held = asyncio.Event()
        async with running_agent(gateway, tmp_path) as agent:
            await gateway.wait_for(lambda: gateway.output_of(SOURCE) == ["first"])
            await asyncio.to_thread(fifo.write_text, "go\n")
            await eventually(lambda: any("all written" in path.read_text() for path in journals.rglob("*.journal")))
            agent.kill()
            await agent.wait()
        gateway.logs_held.set()
        await gateway.stop()
        assert gateway.output_of(SOURCE) == ["first"]
        gateway.manifest = make_manifest(agent_id=agent_id)
        await gateway.start()
        async with running_agent(gateway, tmp_path) as agent:
            await gateway.wait_for(lambda: "all written" in gateway.output_of(SOURCE))
            assert await end(agent) == 0
        assert gateway.output_of(SOURCE) == ["first", *(str(n + 1) for n in range(500)), "all written"]
        assert len([request for request in gateway.requests if request.path.endswith("/logs")]) > len(
            gateway.next_numbers
        )
    assert list(journals.rglob("*.journal")) == []


async def test_agent_drops_lines_silently_after_an_overflow(tmp_path: Path) -> None:
    script = make_script("echo one; echo two; echo three", source_id=SOURCE)
    async with running_gateway(make_manifest(scripts=[script])) as gateway:
        gateway.fail_next("logs", 413, times=1)
        async with running_agent(gateway, tmp_path) as agent:
            await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
            await wait_for_text(tmp_path / "stderr", "stores no more output")
            assert await end(agent) == 0
        assert len([request for request in gateway.requests if request.path.endswith("/logs")]) == 1
        assert gateway.lines == []
        assert list((tmp_path / "data").rglob("*.journal")) == []


async def test_batch_that_is_refused_is_dropped_and_the_rest_goes_on(tmp_path: Path) -> None:
    poison = make_script("echo poison", source_id=SOURCE)
    healthy = make_script("echo healthy", source_id=OTHER_SOURCE, run_on_start=False, run_on_stop=True)
    async with running_gateway(make_manifest(scripts=[poison, healthy])) as gateway:
        gateway.fail_next("logs", 400)
        async with running_agent(gateway, tmp_path) as agent:
            await wait_for_text(tmp_path / "stderr", "refused 1 log lines")
            assert await end(agent) == 0
        assert [line.output for line in gateway.lines] == ["healthy"]


async def test_script_that_passes_its_timeout_gets_sighup_and_the_state_start_timeout(tmp_path: Path) -> None:
    slow = make_script('trap "echo hung up; exit 1" HUP; while :; do sleep 0.05; done', source_id=SOURCE, timeout_s=0.5)
    quick = make_script("echo quick", source_id=OTHER_SOURCE)
    async with (
        running_gateway(make_manifest(scripts=[slow, quick])) as gateway,
        running_agent(gateway, tmp_path) as agent,
    ):
        await gateway.wait_for(lambda: "start_timeout" in gateway.lifecycle)
        assert await end(agent) == 0
        assert "hung up" in gateway.output_of(SOURCE, "info")
        assert any("timeout of 0.5 s" in line for line in gateway.output_of(SOURCE, "error"))
        assert "ready" not in gateway.lifecycle
        assert gateway.lifecycle[-1] == "off"


async def test_failing_scripts_give_start_error_and_shutdown_error(tmp_path: Path) -> None:
    failing = make_script("exit 3", source_id=SOURCE, script_id="failing", run_on_stop=True)
    async with running_gateway(make_manifest(scripts=[failing])) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "start_error" in gateway.lifecycle)
        assert await end(agent, signal.SIGINT) == 0
        assert gateway.lifecycle[-1] == "shutdown_error"
        assert gateway.output_of(SOURCE) == ["The script exited with status 3."] * 2
        reports = [(each["script_id"], each["stage"], each["exit_code"]) for each in gateway.script_timings]
        assert reports == [("failing", "start", 3), ("failing", "stop", 3)]


async def test_daemon_that_keeps_the_output_open_does_not_delay_ready_and_is_still_heard(tmp_path: Path) -> None:
    fifo = tmp_path / "say"
    os.mkfifo(fifo)
    script = make_script(f"(read -r word <'{fifo}'; echo daemon says $word) & echo started", source_id=SOURCE)
    async with running_gateway(make_manifest(scripts=[script])) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
        assert gateway.output_of(SOURCE) == ["started"]
        await asyncio.to_thread(fifo.write_text, "hello\n")
        await gateway.wait_for(lambda: "daemon says hello" in gateway.output_of(SOURCE))
        assert await end(agent) == 0


async def test_stop_hangs_up_start_scripts_that_still_run(tmp_path: Path) -> None:
    script = make_script('trap "echo hung up; exit 0" HUP; echo waits; while :; do sleep 0.05; done', source_id=SOURCE)
    async with running_gateway(make_manifest(scripts=[script])) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "waits" in gateway.output_of(SOURCE))
        assert await end(agent) == 0
        assert gateway.lifecycle[-1] == "off"
        assert gateway.output_of(SOURCE, "info") == ["waits", "hung up"]


async def test_scripts_of_an_agent_under_nohup_can_be_hung_up(tmp_path: Path) -> None:
    script = make_script('trap "echo hung up; exit 0" HUP; echo waits; while :; do sleep 0.05; done', source_id=SOURCE)
    async with (
        running_gateway(make_manifest(scripts=[script])) as gateway,
        running_agent(gateway, tmp_path, started_by=["nohup"]) as agent,
    ):
        await gateway.wait_for(lambda: "waits" in gateway.output_of(SOURCE))
        agent.send_signal(signal.SIGHUP)
        assert await end(agent) == 0
        assert gateway.output_of(SOURCE, "info") == ["waits", "hung up"]


async def test_second_signal_ends_the_agent_and_its_scripts_at_once(tmp_path: Path) -> None:
    stubborn = make_script(
        'trap "" HUP TERM; echo $$; while :; do sleep 0.05; done',
        source_id=SOURCE,
        run_on_start=False,
        run_on_stop=True,
    )
    async with running_gateway(make_manifest(scripts=[stubborn])) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
        agent.terminate()
        await gateway.wait_for(lambda: bool(gateway.output_of(SOURCE)))
        assert await end(agent) == 1
        # The dead are gone once process 1 has collected them.
        group = gateway.output_of(SOURCE)[0]
        await eventually(lambda: group not in list_process_groups())


async def test_control_connection_comes_back_and_the_latest_state_is_sent_again(tmp_path: Path) -> None:
    async with running_gateway(make_manifest()) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle and gateway.open_controls == 1)
        # A frame and a command of the future.
        gateway.send_control(b"\x7f of the future")
        gateway.send_control(encode(Command(b'{"type": "of the future"}')))
        gateway.lifecycle.clear()
        gateway.close_control()
        await gateway.wait_for(lambda: gateway.control_connections == 2 and gateway.lifecycle == ["ready"])
        assert await end(agent) == 0


async def test_environment_of_scripts(tmp_path: Path) -> None:
    script = make_script("env; echo path=$PATH; cd $CODER_SCRIPT_DATA_DIR; echo data=$(pwd)", source_id=SOURCE)
    manifest = make_manifest(
        scripts=[script],
        environment_variables={"GREETING": "hi $USER_GIVEN", "FROM": "manifest", "CODER_AGENT_TOKEN": "mine"},
        vscode_port_proxy_uri="https://{{port}}.example.com",
    )
    extra = {
        "USER_GIVEN": "kim",
        "FROM": "process",
        "PYTHONPATH": os.environ.get("PYTHONPATH", "") or "/nowhere",
        "GENBA_LAUNCHER_VARS": "PYTHONPATH",
        "GENBA_EXECUTABLE": "/opt/genba",
    }
    async with running_gateway(manifest) as gateway, running_agent(gateway, tmp_path, extra) as agent:
        await gateway.wait_for(lambda: "ready" in gateway.lifecycle)
        assert await end(agent) == 0
        environ = dict(line.split("=", 1) for line in gateway.output_of(SOURCE) if "=" in line)
    assert environ["GREETING"] == "hi kim"
    assert environ["FROM"] == "manifest"
    assert environ["CODER"] == "true"
    assert environ["CODER_WORKSPACE_NAME"] == "blue"
    assert environ["CODER_WORKSPACE_AGENT_NAME"] == "main"
    assert environ["CODER_AGENT_TOKEN"] == TOKEN
    assert environ["GIT_SSH_COMMAND"] == "/opt/genba gitssh --"
    assert environ["VSCODE_PROXY_URI"] == "https://{{port}}.example.com"
    assert environ["path"].startswith(environ["CODER_SCRIPT_BIN_DIR"] + ":")
    assert environ["CODER_SCRIPT_DATA_DIR"] == environ["data"]
    assert not {"PYTHONPATH", "GENBA_LAUNCHER_VARS", "GENBA_EXECUTABLE"} & environ.keys()


async def test_metadata_app_health_and_stats_arrive(tmp_path: Path) -> None:
    metadata = [
        make_metadata("good", "echo 42", interval=1),
        make_metadata("once", "echo once; exit 7"),
        make_metadata("slow", "sleep 60", interval=60, timeout=1),
    ]
    async with running_gateway(make_manifest()) as gateway:
        well = make_app(f"{gateway.url}/any")
        ill = make_app("http://127.0.0.1:9/", threshold=2)
        gateway.manifest = make_manifest(metadata=metadata, apps=[well, ill])
        gateway.report_interval_ns = 100_000_000
        async with running_agent(gateway, tmp_path) as agent:
            # The app answers 401 (no token): it is up.
            await gateway.wait_for(lambda: gateway.healths == {well.id: "healthy", ill.id: "unhealthy"})
            await gateway.wait_for(lambda: {item["key"] for item in gateway.metadata} == {"good", "once", "slow"})
            await gateway.wait_for(lambda: len([item for item in gateway.metadata if item["key"] == "good"]) >= 2)
            await gateway.wait_for(lambda: len(gateway.stats) >= 2)
            assert await end(agent) == 0
        items = {item["key"]: item for item in gateway.metadata}
        assert (items["good"]["value"], items["good"]["error"]) == ("42", "")
        assert (items["once"]["value"], items["once"]["error"]) == ("once", "The script exited with status 7.")
        assert "did not end within 1 s" in items["slow"]["error"]
        assert len([item for item in gateway.metadata if item["key"] == "once"]) == 1
        assert gateway.stats[1]["connections_by_proto"] == {}


async def test_scheduled_script_runs_after_start(tmp_path: Path) -> None:
    script = make_script("echo tick", source_id=SOURCE, cron="* * * * * *", run_on_start=False)
    async with running_gateway(make_manifest(scripts=[script])) as gateway, running_agent(gateway, tmp_path) as agent:
        await gateway.wait_for(lambda: len(gateway.output_of(SOURCE)) >= 2)
        assert await end(agent) == 0
        assert set(gateway.output_of(SOURCE)) == {"tick"}


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        ({"CODER_AGENT_TOKEN": ""}, "CODER_AGENT_TOKEN"),
        ({"CODER_AGENT_TOKEN": "no-uuid"}, "UUID"),
        ({"CODER_AGENT_URL": ""}, "CODER_AGENT_URL"),
        ({"CODER_AGENT_URL": "example.com"}, "https://"),
        ({"CODER_AGENT_AUTH": "aws-instance-identity"}, "--auth"),
    ],
)
async def test_unusable_options_end_with_one_sentence_and_2(change: dict[str, str], remedy: str) -> None:
    environ = {
        "PATH": os.environ["PATH"],
        "CODER_AGENT_URL": "http://127.0.0.1:9",
        "CODER_AGENT_TOKEN": TOKEN,
        **change,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "genba_agent", env=environ, stderr=asyncio.subprocess.PIPE
    )
    _, stderr = await process.communicate()
    assert process.returncode == 2
    assert remedy in stderr.decode()
    assert stderr.decode().count("\n") == 1


def list_process_groups() -> set[str]:
    """The groups of all processes, by their ids."""
    stats = [read_if_there(path) for path in Path("/proc").glob("[0-9]*/stat")]
    return {stat.rsplit(")", 1)[1].split()[2] for stat in stats if stat}


def read_if_there(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def has_more_than(gateway: AgentGateway, count: int) -> bool:
    return len(gateway.output_of(SOURCE)) > count


async def wait_for_text(path: Path, text: str) -> None:
    """Return when a file holds a text."""
    await eventually(lambda: path.exists() and text in path.read_text(errors="replace"))
