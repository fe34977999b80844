from __future__ import annotations

import io
import zipfile

import pytest

from genba_gateway.api import files as routes
from genba_gateway.errors import BadRequest
from genba_gateway.services import files as service
from tests.support.workshop import ARCHIVE, UNKNOWN_ID, Reply, Workshop

TAR = {"Content-Type": "application/x-tar"}


def make_zip() -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("main.tf", "# nothing\n")
    return output.getvalue()


async def upload(workshop: Workshop, data: bytes = ARCHIVE, kind: str = "application/x-tar") -> Reply:
    return await workshop.call(workshop.owner, "POST", "/files", data=data, headers={"Content-Type": kind})


async def test_an_upload_is_new_once(workshop: Workshop) -> None:
    first, second = await upload(workshop), await upload(workshop)
    assert (first.status, second.status) == (201, 200)
    assert first.body == second.body
    assert (await workshop.get(workshop.owner, f"/files/{first.body['hash']}")).body == ARCHIVE


@pytest.mark.parametrize("kind", ["application/zip", "application/x-zip-compressed", "Application/ZIP; x=y"])
async def test_a_zip_becomes_a_tar_and_comes_back_as_either(workshop: Workshop, kind: str) -> None:
    file_id = (await upload(workshop, make_zip(), kind)).body["hash"]
    tar = (await workshop.get(workshop.owner, f"/files/{file_id}")).body
    assert tar[257:262] == b"ustar"
    back = (await workshop.get(workshop.owner, f"/files/{file_id}?format=zip")).body
    assert zipfile.ZipFile(io.BytesIO(back)).read("main.tf") == b"# nothing\n"


@pytest.mark.parametrize("kind", ["", "text/plain", "application/gzip"])
async def test_another_type_is_refused(workshop: Workshop, kind: str) -> None:
    assert (await upload(workshop, kind=kind)).status == 400


async def test_a_zip_that_cannot_be_read_is_refused(workshop: Workshop) -> None:
    assert (await upload(workshop, b"PK nonsense", "application/zip")).status == 400


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> int:
    for module in (routes, service):
        monkeypatch.setattr(module, "MAX_FILE_BYTES", 100)
    return 100


async def test_an_upload_may_have_the_limit_and_no_byte_more(workshop: Workshop, small_limit: int) -> None:
    assert (await upload(workshop, b"x" * small_limit)).status == 201
    refused = await upload(workshop, b"x" * (small_limit + 1))
    assert refused.status == 400
    assert "larger" in refused.body["message"]


@pytest.mark.parametrize(("extra", "status"), [(0, 201), (1, 400)])
async def test_the_limit_holds_for_bodies_that_do_not_tell_their_length(
    workshop: Workshop, small_limit: int, extra: int, status: int
) -> None:
    client = workshop.app.test_client()
    headers = {**workshop.owner.headers, **TAR}
    async with client.request("/api/v2/files", method="POST", headers=headers) as connection:  # pyright: ignore[reportUnknownMemberType]
        await connection.send(b"x" * small_limit)
        await connection.send(b"x" * extra)
        await connection.send_complete()
    response = await connection.as_response()
    assert response.status_code == status


async def test_the_service_has_the_limit_too(workshop: Workshop, small_limit: int) -> None:
    with pytest.raises(BadRequest):
        await workshop.services.files.upload(workshop.owner.actor, TAR["Content-Type"], b"x" * (small_limit + 1))


async def test_members_neither_upload_nor_download_what_no_version_has(workshop: Workshop) -> None:
    file_id = (await upload(workshop)).body["hash"]
    sent = await workshop.call(workshop.member, "POST", "/files", data=ARCHIVE, headers=TAR)
    assert sent.status == 403
    assert (await workshop.get(workshop.member, f"/files/{file_id}")).status == 404
    assert (await workshop.get(None, f"/files/{file_id}")).status == 401


async def test_a_download_that_cannot_be_is_refused(workshop: Workshop) -> None:
    file_id = (await upload(workshop)).body["hash"]
    assert (await workshop.get(workshop.owner, f"/files/{UNKNOWN_ID}")).status == 404
    assert (await workshop.get(workshop.owner, "/files/nothing")).status == 400
    assert (await workshop.get(workshop.owner, f"/files/{file_id}?format=rar")).status == 400
