from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from genba_gateway.loops.certificate_renewal import CertificateRenewal
from genba_gateway.services.server_certificate import CertificateFiles, ServerCertificate
from tests.support.tls import Authority, make_authority

CEILING_S = 30.0


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path)


class TellingCertificate(ServerCertificate):
    """Tells when it was taken over."""

    def __init__(self, files: CertificateFiles) -> None:
        super().__init__(files, lambda: datetime.now(UTC))
        self.taken_over = asyncio.Event()

    def take_over(self) -> None:
        super().take_over()
        self.taken_over.set()


@pytest.fixture
def certificate(authority: Authority) -> TellingCertificate:
    certificate = TellingCertificate(CertificateFiles(*authority.issue("server")))
    certificate.check()
    return certificate


async def test_only_changed_files_are_read_again_unless_it_is_told(
    authority: Authority, certificate: ServerCertificate
) -> None:
    told = asyncio.Event()
    renewal = CertificateRenewal(certificate, told)
    assert not await renewal.step()

    await asyncio.to_thread(authority.issue, "server")
    assert await renewal.step()
    assert not await renewal.step()

    told.set()
    assert await renewal.step()
    assert not told.is_set()


async def test_what_could_not_be_used_is_tried_again_without_another_change(
    authority: Authority, certificate: ServerCertificate, caplog: pytest.LogCaptureFixture
) -> None:
    renewal = CertificateRenewal(certificate, asyncio.Event())
    key = authority.folder / "server.key"
    kept = await asyncio.to_thread(key.read_bytes)
    await asyncio.to_thread(key.write_text, "half")
    assert not await renewal.step()
    assert "the former stays: --tls-key" in caplog.text
    assert not await renewal.step()

    await asyncio.to_thread(key.write_bytes, kept)

    assert await renewal.step()
    assert not await renewal.step()


async def test_it_hears_at_once_that_it_is_told(certificate: TellingCertificate) -> None:
    told = asyncio.Event()
    renewal = CertificateRenewal(certificate, told)
    told.set()
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(renewal.run())
        await certificate.taken_over.wait()
        running.cancel()
