from __future__ import annotations

import pytest

from genba_agent.carriers.purposes import may_open


@pytest.mark.parametrize(
    ("purpose", "kind", "may"),
    [
        ("terminal", "pty", True),
        ("terminal", "tcp", False),
        ("tunnel", "tcp", True),
        ("tunnel", "unix", True),
        ("tunnel", "udp", True),
        ("tunnel", "speed", True),
        ("terminal", "unix", False),
        ("tunnel", "pty", False),
        ("terminal", "ports", True),
        ("files", "files", True),
        ("files", "tcp", False),
        ("tunnel", "files", False),
        ("tunnel", "ports", True),
        ("tunnel", "ssh", False),
        ("ssh", "ssh", True),
        ("ssh", "tcp", False),
        ("terminal", "ssh", False),
        ("of a later version", "pty", False),
        ("", "pty", True),
        ("", "tcp", True),
    ],
)
def test_a_purpose_allows_its_own_streams_alone(purpose: str, kind: str, may: bool) -> None:
    assert may_open(purpose, kind) is may
