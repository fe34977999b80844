"""The stream that shows what becomes of streams."""

from __future__ import annotations

import hashlib

from quart import Quart

from genba_gateway.api import stream_check
from genba_wire.api.message import decode_message
from genba_wire.api.stream_check import STREAM_CHECK_PATH, StreamCheck


async def test_first_event_says_what_was_sent_and_asked_for_and_the_last_ends_it() -> None:
    app = Quart(__name__)
    app.register_blueprint(stream_check.make_blueprint(access_url="https://genba.test", hold_s=0))
    response = await app.test_client().get(STREAM_CHECK_PATH, headers={"Host": "asked.test"})
    assert response.headers["X-Accel-Buffering"] == "no"
    lines = (await response.get_data(as_text=True)).splitlines()
    events = [decode_message(line.removeprefix("data: "), StreamCheck) for line in lines if line.startswith("data: ")]
    first, last = events
    assert "https://genba.test" in first.text
    assert first.sha256 == hashlib.sha256(first.text.encode()).hexdigest()
    assert [event.host for event in events] == ["asked.test"] * 2
    assert (first.is_last, last.is_last) == (False, True)
