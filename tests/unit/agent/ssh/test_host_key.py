from __future__ import annotations

import stat
from pathlib import Path

import pytest

from genba_agent.ssh.host_key import KEY_FILE, load_host_key


def test_key_is_made_once_and_kept_for_its_owner_alone(tmp_path: Path) -> None:
    made = load_host_key(tmp_path)
    assert made.public_key.startswith("ssh-ed25519 ")
    assert load_host_key(tmp_path) == made
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_private_half_is_not_shown(tmp_path: Path) -> None:
    assert "PRIVATE" not in repr(load_host_key(tmp_path))


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nxx\n"])
def test_broken_key_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    made = load_host_key(tmp_path)
    assert load_host_key(tmp_path) == made


def test_where_nothing_can_be_kept_there_is_a_key_all_the_same(tmp_path: Path) -> None:
    assert load_host_key(tmp_path / "absent").public_key.startswith("ssh-ed25519 ")
