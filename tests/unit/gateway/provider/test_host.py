"""The folder for sockets."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from genba_gateway.errors import ConfigError
from genba_gateway.provider.host import MAX_SOCKET_PATH_BYTES, SOCKET_NAME_BYTES, ProviderHost


def test_folder_is_made_for_the_gateway_alone(short_dir: Path) -> None:
    ProviderHost(short_dir / "a" / "r", None)
    assert stat.S_IMODE((short_dir / "a" / "r").stat().st_mode) == 0o700


def test_folder_may_be_used_again(short_dir: Path) -> None:
    ProviderHost(short_dir / "r", None)
    ProviderHost(short_dir / "r", None)


def test_folder_that_others_may_enter_is_refused(short_dir: Path) -> None:
    (short_dir / "r").mkdir()
    (short_dir / "r").chmod(0o750)
    with pytest.raises(ConfigError, match="chmod 700"):
        ProviderHost(short_dir / "r", None)


def test_link_to_a_folder_is_refused(short_dir: Path) -> None:
    (short_dir / "other").mkdir(mode=0o700)
    (short_dir / "r").symlink_to(short_dir / "other")
    with pytest.raises(ConfigError):
        ProviderHost(short_dir / "r", None)


@pytest.mark.parametrize(("excess", "is_ok"), [(0, True), (1, False)])
def test_path_is_as_long_as_a_socket_allows(short_dir: Path, excess: int, is_ok: bool) -> None:
    length = MAX_SOCKET_PATH_BYTES - SOCKET_NAME_BYTES - len(str(short_dir)) - 1
    folder = short_dir / ("x" * (length + excess))
    if is_ok:
        ProviderHost(folder, None)
        assert folder.is_dir()
    else:
        with pytest.raises(ConfigError, match="Choose a shorter one"):
            ProviderHost(folder, None)
        assert not folder.exists()
