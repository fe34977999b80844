"""One server for all tests of the suite."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.support.ssh_workspace import SshWorkspace, running_ssh_workspace


@pytest.fixture(scope="package")
def workspace() -> Generator[SshWorkspace]:
    """A workspace with an SSH server."""
    folder = Path(tempfile.mkdtemp(prefix="g-", dir="/tmp"))
    with running_ssh_workspace(folder, banners=["Maintenance at noon."]) as served:
        yield served
    shutil.rmtree(folder, ignore_errors=True)
