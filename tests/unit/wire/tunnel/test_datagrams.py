from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from genba_wire.tunnel.datagrams import MAX_DATAGRAM_BYTES, DatagramReader, frame_datagram


def test_datagram_has_its_length_before_it() -> None:
    assert frame_datagram(b"abc") == b"\x00\x03abc"
    assert frame_datagram(b"") == b"\x00\x00"
    assert DatagramReader().feed(b"\x00\x00\x00\x01x") == [b"", b"x"]


def test_longest_datagram_comes_whole() -> None:
    longest = bytes(MAX_DATAGRAM_BYTES)
    assert DatagramReader().feed(frame_datagram(longest)) == [longest]


@given(st.lists(st.binary(max_size=300), max_size=10), st.integers(1, 200))
def test_datagrams_are_found_however_they_are_cut(sent: list[bytes], step: int) -> None:
    data = b"".join(frame_datagram(each) for each in sent)
    reader = DatagramReader()
    found = [one for at in range(0, len(data), step) for one in reader.feed(memoryview(data)[at : at + step])]
    assert found == sent
