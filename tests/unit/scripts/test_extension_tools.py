"""Node and its packages for the extension: what is said when a part is absent, and that they are installed once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.extension_tools import NodeMissing, check_node, install_packages, local_tool, run_tool
from scripts.failures import ScriptFailure


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is on PATH."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def extension(tmp_path: Path) -> Path:
    folder = tmp_path / "extension"
    folder.mkdir()
    (folder / "package-lock.json").write_text("{}")
    return folder


def write_program(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def write_node(
    programs: Path, version: str = "v22.1.0", npm: str = "/bin/mkdir -p node_modules; echo x >> ran"
) -> None:
    write_program(programs, "node", f"echo {version}")
    write_program(programs, "npm", npm)


def test_absent_npm_is_named_with_its_remedy(programs: Path) -> None:
    write_program(programs, "node", "echo v22.1.0")
    with pytest.raises(NodeMissing, match=r"npm, which is not on PATH: install Node\.js 20 or later"):
        check_node()


@pytest.mark.parametrize("node", [None, "exit 1", "echo something else"])
def test_node_that_says_no_version_is_named_with_its_remedy(programs: Path, node: str | None) -> None:
    write_program(programs, "npm", "exit 0")
    if node is not None:
        write_program(programs, "node", node)
    with pytest.raises(NodeMissing, match=r"`node --version` does not say a version: install"):
        check_node()


def test_node_that_is_too_old_is_told_its_version(programs: Path) -> None:
    write_node(programs, "v19.9.0")
    with pytest.raises(NodeMissing, match=r"needs Node\.js 20 and this is 19\.9\.0: install"):
        check_node()
    write_node(programs, "v20.0.0")
    check_node()


def test_packages_are_installed_once_for_each_lock(programs: Path, extension: Path) -> None:
    write_node(programs)
    for _ in range(2):
        install_packages(extension)
    assert (extension / "ran").read_text() == "x\n"
    (extension / "package-lock.json").write_text("{ }")
    install_packages(extension)
    assert (extension / "ran").read_text() == "x\nx\n"


def test_packages_that_cannot_be_had_are_tried_again(programs: Path, extension: Path) -> None:
    write_node(programs, npm="/bin/mkdir -p node_modules; echo no such host; exit 7")
    for _ in range(2):
        with pytest.raises(ScriptFailure, match=r"no such host\nnpm ci failed in .* \(exit code 7\)"):
            install_packages(extension)


def test_tool_that_succeeds_says_nothing(extension: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run_tool(["/bin/sh", "-c", "echo much; pwd > where"], extension, doing="The test")
    assert capfd.readouterr() == ("", "")
    assert (extension / "where").read_text().strip() == os.path.realpath(extension)


def test_tool_that_is_not_there_is_a_failure_of_the_script(extension: Path) -> None:
    with pytest.raises(ScriptFailure, match="The test"):
        run_tool([local_tool("absent", extension)], extension, doing="The test")
