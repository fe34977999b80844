"""Where frames end in a server's bytes."""

from __future__ import annotations

import pytest

from genba_gateway.apps.websocket_joint import FrameEnds
from tests.support.raw_websocket import make_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
@pytest.mark.parametrize("step", [1, 3, 1 << 20])
@pytest.mark.parametrize("masked", [True, False])
def test_only_a_whole_frame_ends(size: int, step: int, masked: bool) -> None:
    if size > 1000 and step < 1000:
        pytest.skip("says the same as a shorter one")
    frame = make_frame(bytes(size), masked=masked, key=bytes(4) if masked else b"")
    ends = FrameEnds()
    assert ends.is_whole
    for at in range(0, len(frame) - 1, step):
        ends.feed(frame[at : min(at + step, len(frame) - 1)])
        assert not ends.is_whole
    ends.feed(frame[-1:] + make_frame(b"x", masked=False, key=b""))
    assert ends.is_whole
    assert not ends.has_closed


def test_a_close_frame_is_noticed() -> None:
    ends = FrameEnds()
    ends.feed(make_frame(b"\x03\xe8", opcode=8, masked=False, key=b""))
    assert (ends.is_whole, ends.has_closed) == (True, True)
