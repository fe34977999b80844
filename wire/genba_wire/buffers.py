"""What bytes look like on the data path."""

from __future__ import annotations

from typing import TypeAlias

Buffer: TypeAlias = bytes | bytearray | memoryview
"""Bytes that may be a view of someone else's; whoever hands one on must not change it before it was sent."""
