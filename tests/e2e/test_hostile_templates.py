"""Archives and templates that are hostile or broken fail with a clear message, and the server goes on."""

from __future__ import annotations

import io
import tarfile
import tempfile
import zipfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.host_template import CODER
from tests.support.real_gateway import RealGateway, make_tar

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncGenerator[RealGateway]:
    """One for all: that it goes on is what they are about."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with RealGateway(Path(folder) / "gateway") as running:
            await running.sign_in()
            yield running


def make_hostile_tar(member: tarfile.TarInfo, content: bytes = b"") -> bytes:
    """A template with one entry more."""
    buffer = io.BytesIO(make_tar({"main.tf": CODER}))
    member.size = len(content)
    with tarfile.open(fileobj=buffer, mode="a") as archive:
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def make_special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """An entry that is no plain file."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def list_outside(gateway: RealGateway) -> set[Path]:
    """What lies beside the gateway's folder, and what its data folder has at its top."""
    return {*gateway.folder.parent.iterdir(), *(gateway.folder / "data").iterdir()}


async def test_entries_that_are_no_plain_files_fail_the_job_by_name(gateway: RealGateway) -> None:
    before = list_outside(gateway)
    outside = str(gateway.folder.parent / "escaped")
    hostile = {
        "../../escaped": make_hostile_tar(tarfile.TarInfo("../../escaped"), b"x"),
        outside: make_hostile_tar(tarfile.TarInfo(outside), b"x"),
        "shortcut": make_hostile_tar(make_special("shortcut", tarfile.SYMTYPE, "/etc/passwd")),
        "twin": make_hostile_tar(make_special("twin", tarfile.LNKTYPE, "/etc/passwd")),
        "device": make_hostile_tar(make_special("device", tarfile.BLKTYPE)),
        "pipe": make_hostile_tar(make_special("pipe", tarfile.FIFOTYPE)),
    }
    for name, archive in hostile.items():
        version = await gateway.import_archive(archive)
        assert version["job"]["status"] == "failed", name
        assert name in version["job"]["error"]
        logs = await gateway.fetch("GET", f"/api/v2/templateversions/{version['id']}/logs")
        assert [line for line in logs if line["log_level"] == "error" and name in line["output"]]
        assert (await gateway.client.get("/healthz")).status_code == 200
    assert list_outside(gateway) == before
    assert not list((gateway.folder / "data" / "provisioner" / "jobs").iterdir())


async def test_a_zip_bomb_is_refused_by_name(gateway: RealGateway) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.tf", CODER)
        archive.writestr("bomb.bin", bytes(300 * 2**20))
    headers = {**gateway.headers, "Content-Type": "application/zip"}
    answer = await gateway.client.post("/api/v2/files", content=buffer.getvalue(), headers=headers)
    assert answer.status_code == 400
    assert "bomb.bin" in answer.json()["message"]
    assert (await gateway.client.get("/healthz")).status_code == 200


async def test_broken_terraform_fails_with_file_and_line(gateway: RealGateway) -> None:
    broken = {
        "syntax": {"main.tf": CODER, "broken.tf": 'locals {\n  a = "x"\n  b = = 1\n}\n'},
        "reference": {"main.tf": CODER, "broken.tf": "\n\noutput x { value = terraform_data.nowhere.id }\n"},
    }
    for name, files in broken.items():
        version = await gateway.import_version(files)
        assert version["job"]["status"] == "failed", name
        logs = await gateway.fetch("GET", f"/api/v2/templateversions/{version['id']}/logs")
        told = "\n".join([version["job"]["error"], *(line["output"] for line in logs)])
        assert "broken.tf" in told, told
        assert "line 3" in told or "broken.tf:3" in told, told
        assert (await gateway.client.get("/healthz")).status_code == 200
