from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from genba_agent.api import AgentApi
from genba_agent.app_health import LONGEST_START_S, AppHealth, Health, HealthCounter, is_on_its_way
from genba_agent.clock import SystemClock
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_app, make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, running_gateway


def observe(counter: HealthCounter, *answers: bool) -> list[tuple[bool, Health]]:
    return [(counter.observe(is_well), counter.health) for is_well in answers]


def test_one_good_answer_is_healthy_and_threshold_bad_ones_are_not() -> None:
    counter = HealthCounter(threshold=2)
    assert observe(counter, False, True, False, True) == [
        (False, Health.INITIALIZING),
        (True, Health.HEALTHY),
        (False, Health.HEALTHY),
        (False, Health.HEALTHY),
    ]
    assert observe(counter, False, False, False, True) == [
        (False, Health.HEALTHY),
        (True, Health.UNHEALTHY),
        (False, Health.UNHEALTHY),
        (True, Health.HEALTHY),
    ]


def test_threshold_of_zero_means_one() -> None:
    assert HealthCounter(threshold=0).observe(False)


@pytest.mark.parametrize("url", ["http://xn--/", "http://localhost:99999/", "http://[", "http://a b/", "nonsense"])
async def test_url_that_leads_nowhere_is_an_unhealthy_app_and_disturbs_no_other(url: str) -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        odd, good = make_app(url), make_app(f"{gateway.url}/app")
        running = group.create_task(AppHealth(AgentApi(transport), SystemClock(), [odd, good]).run())
        await gateway.wait_for(lambda: len(gateway.healths) == 2)
        assert gateway.healths == {odd.id: "unhealthy", good.id: "healthy"}
        running.cancel()


async def test_failed_report_is_repeated_and_apps_without_check_are_left_out() -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        gateway.fail_next("app-health", 503)
        # 401 to a request without a token: below 500, so the app is up.
        checked, unchecked = make_app(f"{gateway.url}/app"), make_app("", interval=0)
        app_health = AppHealth(AgentApi(transport), SystemClock(), [checked, unchecked])
        running = group.create_task(app_health.run())
        await gateway.wait_for(lambda: bool(gateway.healths))
        assert gateway.healths == {checked.id: "healthy"}
        running.cancel()


async def test_app_on_a_unix_socket_below_the_home_is_asked(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(short_dir))
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[0].decode())
        # A redirect is a sign of life, and is not followed.
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    (short_dir / ".app").mkdir()
    async with (
        await asyncio.start_unix_server(answer, short_dir / ".app" / "socket"),
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        there = make_app("http+unix://.app%2Fsocket/healthz?deep=1")
        absent, nameless = make_app("http+unix://.app%2Fother/healthz"), make_app("http+unix:///healthz")
        running = group.create_task(AppHealth(AgentApi(transport), SystemClock(), [there, absent, nameless]).run())
        await gateway.wait_for(lambda: len(gateway.healths) == 3)
        assert gateway.healths == {there.id: "healthy", absent.id: "unhealthy", nameless.id: "unhealthy"}
        assert asked[0] == "GET /healthz?deep=1 HTTP/1.1"
        running.cancel()


def test_a_file_beside_its_socket_says_that_an_app_is_on_its_way(tmp_path: Path) -> None:
    url = f"http+unix://{str(tmp_path / 'socket').replace('/', '%2F')}/healthz"
    assert not is_on_its_way(url, 0.0)
    mark = tmp_path / "socket.starting"
    mark.touch()
    os.utime(mark, (1000.0, 1000.0))
    assert is_on_its_way(url, 1000.0 + LONGEST_START_S)
    assert not is_on_its_way(url, 1001.0 + LONGEST_START_S)
    # A port has no file beside it, and a socket without a name neither.
    assert not is_on_its_way("http://localhost:1/", 1000.0)
    assert not is_on_its_way("http+unix:///healthz", 1000.0)


async def test_checks_that_fail_count_once_an_app_is_no_longer_on_its_way(short_dir: Path) -> None:
    clock = FakeClock()
    mark = short_dir / "socket.starting"
    mark.touch()
    os.utime(mark, (clock.now().timestamp(), clock.now().timestamp()))
    url = f"http+unix://{str(short_dir / 'socket').replace('/', '%2F')}/healthz"
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
        asyncio.TaskGroup() as group,
    ):
        app = make_app(url, interval=5, threshold=2)
        running = group.create_task(AppHealth(AgentApi(transport), clock, [app]).run())

        async def check(times: int) -> None:
            for _ in range(times):
                await clock.wait_for_sleep(5)
                clock.advance(5)
            await clock.wait_for_sleep(5)

        await check(4)
        mark.unlink()
        await check(1)
        assert gateway.healths == {}
        await check(1)
        await gateway.wait_for(lambda: bool(gateway.healths))
        assert gateway.healths == {app.id: "unhealthy"}
        running.cancel()
