from __future__ import annotations

from genba_agent.api import AgentApi
from genba_agent.ssh.banners import ASKED_EVERY_S, Banners, format_banners
from genba_wire.aio.transport import Transport, TransportOptions
from tests.support.agent_builders import make_manifest
from tests.support.agent_clock import FakeClock
from tests.support.agent_gateway import TOKEN, Fault, running_gateway

PATH = "/api/v2/appearance"


async def test_what_is_announced_is_known_and_kept_while_the_gateway_is_away() -> None:
    async with (
        running_gateway(make_manifest()) as gateway,
        Transport(TransportOptions(base_url=gateway.url, token=TOKEN)) as transport,
    ):
        banners = Banners(AgentApi(transport), FakeClock())
        assert await banners.step() == ASKED_EVERY_S  # 404: none
        assert banners.text == b""
        gateway.answers[PATH] = {
            "announcement_banners": [
                {"enabled": True, "message": "Noon"},
                {"enabled": False, "message": "Old"},
                {"enabled": True},
            ]
        }
        assert await banners.step() == ASKED_EVERY_S
        assert banners.text == b"Noon\r\n\r\n"
        gateway.faults.append(Fault(PATH, times=1, aborts_after_storing=True))
        assert await banners.step() < 1
        assert banners.text == b"Noon\r\n\r\n"


def test_messages_are_wrapped_and_cannot_steer_a_terminal() -> None:
    text = format_banners(["one\x1b[2J\n\ntwo", "word " * 30])
    lines = text.split(b"\r\n")
    assert lines[:4] == [b"one[2J", b"", b"two", b""]
    assert all(len(line) <= 80 for line in lines)
    assert b"\x1b" not in text
    assert format_banners([]) == b""
