"""A build's inputs."""

from __future__ import annotations

import asyncio

from genba_gateway.provider.context import CancelNotice, ProviderContext, Session


def make_session(**environment: str) -> Session:
    return Session(ProviderContext("job", "http://build", environment))


def test_url_comes_from_the_block_then_the_environment_then_the_build() -> None:
    assert make_session().url == "http://build"
    session = make_session(CODER_AGENT_URL="http://environment")
    assert session.url == "http://environment"
    session.configured_url = "http://block"
    assert session.url == "http://block"


def test_inputs_are_not_shown() -> None:
    assert "secret" not in repr(make_session(CODER_X="secret"))


async def test_cancel_wakes_who_waits_and_can_be_taken_back() -> None:
    notice = CancelNotice()
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        group.create_task(notice.wait())
        notice.give()
        assert notice.is_given
    notice.take_back()
    assert not notice.is_given
