"""Global flags and the environment behind them."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_ide_bridge.cli.options import GlobalFlags, Settings
from genba_ide_bridge.errors import BridgeError


def settings(folder: Path, **flags: object) -> Settings:
    return Settings(GlobalFlags(global_config=str(folder), **flags), {})  # type: ignore[arg-type]  # fields by name


@pytest.mark.parametrize(
    "header", ["Authorization:Bearer-SECRET", "Authorization: Bearer SEC=RET", "SECRET", "=SECRET", "SECRÄT=x"]
)
def test_a_header_that_is_no_pair_is_told_by_its_number_and_never_repeated(tmp_path: Path, header: str) -> None:
    with pytest.raises(BridgeError) as caught:
        settings(tmp_path, header=["X-A=1", header]).headers()
    assert caught.value.message == "A header is NAME=VALUE, and number 2 of 2 is not."
    assert "SEC" not in caught.value.message + caught.value.hint


def test_headers_of_a_command_come_after_those_of_flags(tmp_path: Path) -> None:
    both = settings(tmp_path, header=["X-A=1", "X-B=1"], header_command="echo X-B=2")
    assert both.headers() == {"X-A": "1", "X-B": "2"}


def test_switches_come_from_the_environment_too(tmp_path: Path) -> None:
    assert not settings(tmp_path).is_verbose
    assert Settings(GlobalFlags(), {"CODER_VERBOSE": "true"}).is_verbose
    assert not Settings(GlobalFlags(), {"CODER_NO_VERSION_WARNING": "1"}).tells_version
    assert not Settings(GlobalFlags(), {"GENBA_NO_OPEN": "t"}).opens_browser
    assert Settings(GlobalFlags(), {"GENBA_NO_OPEN": "false"}).opens_browser
