from __future__ import annotations

import pytest

from genba_agent.ssh.file_transfers import is_file_transfer


@pytest.mark.parametrize(
    ("command", "is_one"),
    [
        ("scp -t /tmp", True),
        ("/usr/bin/rsync --server", True),
        ("nc localhost 22", True),
        ("'sftp' host", True),
        ("/usr/lib/openssh/sftp-server", True),
        ("echo scp", False),
        ("scpx", False),
        ("scp 'unfinished", True),
        ("", False),
        ("'", False),
    ],
)
def test_file_transfers_are_known_by_their_program(command: str, is_one: bool) -> None:
    assert is_file_transfer(command) is is_one
