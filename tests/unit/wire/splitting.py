"""Bytes cut anywhere, as a connection delivers them."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import strategies as st


def cuts() -> st.SearchStrategy[list[int]]:
    """Sizes of the pieces, repeated as long as there are bytes."""
    return st.lists(st.integers(1, 200), min_size=1, max_size=8)


def split(data: bytes, sizes: list[int]) -> Iterator[bytes]:
    """Cut `data` into pieces of these sizes, over and over."""
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        yield data[at : at + size]
        at += size
        turn += 1
