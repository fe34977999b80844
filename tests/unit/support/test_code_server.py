"""Setting up VS Code for the tests in a browser: what is told, part by part, where one is absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import code_server
from tests.support.chromium import find_chromium
from tests.support.code_server import VERSION, install_code_server
from tests.support.debian_packages import MissingPart

NPM = """while [ "$1" != --prefix ]; do shift; done; /bin/mkdir -p "$2"; echo "$3" >> "$2/package" """
"""As npm: leaves a folder, in which it says for what it was made."""


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is on PATH, with everything that is needed; the cache is empty."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name, text in {"npm": NPM, "make": "", "g++": "", "python3": "", "krb5-config": "", "chromium": ""}.items():
        write_program(folder, name, text)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("GENBA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(code_server, "KERBEROS_HEADER", tmp_path / "absent.h")
    return folder


def write_program(folder: Path, name: str, text: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)


def test_it_is_made_once(programs: Path) -> None:
    folder = install_code_server()
    assert (folder / "node" / "package").read_text() == "node@24\n"
    assert (folder / "code-server" / "package").read_text() == f"code-server@{VERSION}\n"
    write_program(programs, "npm", "exit 1")
    assert install_code_server() == folder


@pytest.mark.parametrize(
    ("program", "package"),
    [("npm", "npm"), ("krb5-config", "libkrb5-dev"), ("make", "make"), ("g++", "g++"), ("python3", "python3")],
)
def test_absent_part_is_named_with_its_package(programs: Path, program: str, package: str) -> None:
    (programs / program).unlink()
    with pytest.raises(MissingPart) as raised:
        install_code_server()
    assert str(raised.value) == f"{program} is not on PATH (Debian's package {package} has it)"


def test_what_npm_could_not_install_is_told_and_nothing_half_made_stays(programs: Path, tmp_path: Path) -> None:
    said = ["npm error network: no such host", "npm error A complete log of this run can be found in: /x"]
    write_program(programs, "npm", "\n".join([*(f"echo '{line}' >&2" for line in said), "exit 1"]))
    for _ in range(2):
        with pytest.raises(MissingPart, match=r"^npm could not install node@24: npm error network: no such host$"):
            install_code_server()
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [f"code-server-{VERSION}.lock"]


def test_absent_chromium_is_named_with_its_package(programs: Path) -> None:
    assert find_chromium() == str(programs / "chromium")
    (programs / "chromium").unlink()
    with pytest.raises(MissingPart, match=r"^chromium is not on PATH \(Debian's package chromium has it\)$"):
        find_chromium()
