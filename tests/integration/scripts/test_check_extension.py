"""`make check` of the extension: what it does without Node, and with what a tool found."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from scripts.clone import ROOT

TOOLS = ("prettier", "eslint", "tsc")


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.fixture
def clone(clone: Path) -> Path:
    """The copied clone with an extension whose tools are small ones; npm brings them."""
    extension = clone / "vscode-extension"
    extension.mkdir()
    (extension / "package-lock.json").write_text("{}")
    (extension / "package.json").write_text('{"version": "1.2.3"}')
    (clone / "LICENSE").write_text("a licence")
    for tool in TOOLS:
        write_program(clone / "tools" / tool, f'echo "{tool} $*" >> ran')
    # As vsce: packs what there is.
    write_program(clone / "tools" / "vsce", 'while [ "$1" != --out ]; do shift; done; /bin/cat LICENSE bundle > "$2"')
    write_program(clone / "programs" / "npm", f"/bin/mkdir node_modules; /bin/cp -r {clone}/tools node_modules/.bin")
    write_program(clone / "programs" / "node", '[ "$1" = --version ] && echo v22.1.0 && exit; echo " with $*" > bundle')
    return clone


def run(clone: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(clone / "programs"), "HOME": "/nonexistent", "PYTHONPATH": str(ROOT / "wire")}
    argv = [sys.executable, "-m", f"scripts.{script}", *arguments]
    return subprocess.run(argv, cwd=clone, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_every_tool_checks(clone: Path) -> None:
    done = run(clone, "check_extension")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    ran = (clone / "vscode-extension" / "ran").read_text().splitlines()
    assert [line.split()[0] for line in ran] == list(TOOLS)
    assert "eslint --max-warnings=0 ." in ran


@pytest.mark.parametrize("tool", TOOLS)
def test_what_a_tool_finds_fails_the_check(clone: Path, tool: str) -> None:
    write_program(clone / "tools" / tool, "echo src/extension.ts is wrong; exit 2")
    done = run(clone, "check_extension")
    assert done.returncode == 1
    assert "src/extension.ts is wrong" in done.stderr
    assert f"{tool} failed in " in done.stderr


def test_without_node_it_says_so_and_passes(clone: Path) -> None:
    (clone / "programs" / "npm").unlink()
    done = run(clone, "check_extension")
    assert done.returncode == 0
    assert done.stderr.startswith("The VS Code extension was not checked. The VS Code extension needs npm")


def test_extension_is_bundled_and_packed_with_the_licence(clone: Path) -> None:
    done = run(clone, "build_vsix")
    packed = clone / "dist" / "genba-1.2.3.vsix"
    assert (done.returncode, done.stdout.strip()) == (0, str(packed)), done.stderr
    assert packed.read_text() == "a licence with esbuild.mjs --production\n"
    assert run(clone, "build_vsix", "--out", "here/x.vsix").stdout.strip() == str(clone / "here" / "x.vsix")


def test_packing_without_node_fails_with_the_remedy(clone: Path) -> None:
    (clone / "programs" / "npm").unlink()
    done = run(clone, "build_vsix")
    assert (done.returncode, done.stdout) == (1, "")
    assert "install Node.js 20 or later" in done.stderr


def test_failed_step_of_packing_is_named(clone: Path) -> None:
    write_program(clone / "programs" / "node", '[ "$1" = --version ] && echo v22.1.0 && exit; echo unresolved; exit 1')
    done = run(clone, "build_vsix")
    assert done.returncode == 1
    assert "unresolved\nBundling the extension failed in " in done.stderr
    assert not (clone / "dist" / "genba-1.2.3.vsix").exists()
