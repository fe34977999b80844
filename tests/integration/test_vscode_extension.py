"""The VS Code extension: its own tests, and what ties it to the rest of Genba."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest

from genba_ide_bridge.lsp import messages
from scripts.build_vsix import build_vsix
from scripts.extension_tools import EXTENSION, NodeMissing, install_packages, local_tool
from scripts.gen_ts_types import TARGET, generate_types

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.mark.timeout(400)  # the packages come from npm the first time
def test_tests_of_the_extension_pass() -> None:
    try:
        install_packages()
    except NodeMissing as missing:
        pytest.skip(str(missing))
    done = subprocess.run(
        [local_tool("vitest"), "run", "--no-color"], cwd=EXTENSION, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(400)  # the packages come from npm the first time
def test_the_packed_extension_holds_what_it_needs_and_the_licences_of_what_is_in_it(tmp_path: Path) -> None:
    try:
        packed = build_vsix(tmp_path / "genba.vsix")
    except NodeMissing as missing:
        pytest.skip(str(missing))
    with zipfile.ZipFile(packed) as vsix:
        names = {name.removeprefix("extension/") for name in vsix.namelist() if name.startswith("extension/")}
        notices = vsix.read("extension/dist/THIRD-PARTY-NOTICES.txt").decode()
        bundle = vsix.read("extension/dist/extension.js").decode()
        manifest = json.loads(vsix.read("extension/package.json"))
    assert {"package.json", "LICENSE.txt", manifest["icon"], "dist/extension.js"} <= names
    assert not [name for name in names if name.startswith(("node_modules", "src", "test"))]
    assert "require(" in bundle
    named = set(re.findall(r"^-{78}\n(\S+) \S+ \([\w.-]+\)$", notices, re.M))
    assert {"vscode-languageclient", "ws"} <= named, "what the sources import"
    _, *parts = re.split(r"^-{78}$", notices, flags=re.M)
    assert len(parts) == len(named)
    assert all(len(part) > 500 for part in parts), "each with the text of its licence"


def test_types_of_the_messages_are_those_of_the_bridge() -> None:
    assert TARGET.read_text(encoding="utf-8") == generate_types(messages), "run: python -m scripts.gen_ts_types"


def test_requests_and_notifications_are_those_of_the_bridge() -> None:
    documented = re.findall(r"^\| `(genba/\w+)` \|", (ROOT / "docs" / "bridge.md").read_text(encoding="utf-8"), re.M)
    used = re.findall(r'^  "(genba/\w+)":', (EXTENSION / "src/bridge/requests.ts").read_text(encoding="utf-8"), re.M)
    assert used == documented


def test_version_is_that_of_genba() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert json.loads((EXTENSION / "package.json").read_text())["version"] == project["project"]["version"]
    assert json.loads((EXTENSION / "package-lock.json").read_text())["version"] == project["project"]["version"]
