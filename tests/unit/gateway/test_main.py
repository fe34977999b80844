"""What the program does with its settings before it serves; how it serves is tests/e2e."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from genba_gateway import __main__
from genba_gateway.config import Config


def test_the_loop_polls_for_as_long_as_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int] = []

    def make_event_loop(limit_us: int) -> asyncio.AbstractEventLoop:
        limits.append(limit_us)
        return asyncio.new_event_loop()

    async def run(config: Config) -> None:
        assert config.data_dir == tmp_path

    monkeypatch.setattr(__main__, "make_event_loop", make_event_loop)
    monkeypatch.setattr(__main__, "_run", run)
    assert __main__.main(["--busy-poll-us", "7", "--data-dir", str(tmp_path)]) == 0
    assert limits == [7]
