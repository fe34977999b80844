"""The executable for the other kind of machine: assembled here, and started by an emulator where Debian has one."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from genba_wire.version import VERSION_LINE
from scripts.build_agent import OUTPUT
from scripts.clone import ROOT
from tests.support.debian_packages import MissingPart, fetch_package

AARCH64: Final = 183
"""The machine's number in an ELF header (e_machine)."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the executable unpacks to; its own head would refuse this machine."""
    made = subprocess.run(
        [sys.executable, "-m", "scripts.build_agent", "arm64"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"the executable for arm64 can't be assembled here: {made.stderr.strip().splitlines()[-1:]}")
    head, mark, tar = (OUTPUT / "genba-linux-arm64").read_bytes().partition(b"\x1f\x8b")
    assert f"tail -n +{head.count(bytes([10])) + 1} ".encode() in head
    folder = tmp_path_factory.mktemp("arm64")
    subprocess.run(["tar", "-xzf", "-", "-C", folder], input=mark + tar, check=True)
    (root,) = folder.iterdir()
    return root


def test_every_binary_in_it_is_for_that_machine(unpacked: Path) -> None:
    machines = {
        file.relative_to(unpacked): struct.unpack_from("<H", content, 18)[0]
        for file in unpacked.rglob("*")
        if file.is_file() and (content := file.read_bytes()[:64]).startswith(b"\x7fELF")
    }
    assert len(machines) > 30
    assert {name: machine for name, machine in machines.items() if machine != AARCH64} == {}
    tags = [
        line.removeprefix("Tag: ")
        for wheel in unpacked.glob("site/*.dist-info/WHEEL")
        for line in wheel.read_text().splitlines()
        if line.startswith("Tag: ")
    ]
    assert [tag for tag in tags if not tag.endswith(("-any", "_aarch64"))] == []
    assert [tag for tag in tags if tag.endswith("_aarch64")]


def test_it_starts_on_an_emulated_machine(unpacked: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    try:
        root = fetch_package("qemu-user-static", tmp_path_factory.mktemp("debs"))
    except MissingPart as missing:
        pytest.skip(str(missing))
    python: list[str | Path] = [
        *(root / "usr/bin/qemu-aarch64-static", unpacked / "lib/ld-linux-aarch64.so.1"),
        *("--library-path", unpacked / "lib", unpacked / "bin/python3.11", "-I", "-S", "-X", "utf8"),
    ]

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*python, *arguments], env={}, capture_output=True, text=True, timeout=300, check=False)

    done = run(unpacked / "main.py", "version")
    assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr
    # The compiled parts of what agent and command line import.
    compiled = "import ssl, ctypes, zlib, lzma, bz2, psutil, msgspec, websockets.speedups"
    done = run(
        "-c", f"import sys; sys.path.append({str(unpacked / 'site')!r}); {compiled}; from cryptography import x509"
    )
    assert done.returncode == 0, done.stderr
