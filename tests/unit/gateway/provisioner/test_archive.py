from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genba_gateway.errors import BadRequest
from genba_gateway.provisioner import archive as archive_module
from genba_gateway.provisioner.archive import (
    MAX_COMPONENT_BYTES,
    ArchiveEntry,
    iterate_tar,
    iterate_zip,
    tar_to_zip,
    zip_to_tar,
)
from tests.support.template_archives import template_archive


def tar_of(*members: tarfile.TarInfo, content: bytes = b"") -> bytes:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return output.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, *, size: int = 0, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.size, info.linkname = kind, size, target
    return info


def zip_of(files: dict[str, bytes], *, mode: int = 0) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return output.getvalue()


def test_tar_yields_files_and_folders() -> None:
    data = tar_of(member("./"), member("./modules/", tarfile.DIRTYPE), member("./modules/a.tf", size=2), content=b"hi")

    assert list(iterate_tar(data)) == [ArchiveEntry("modules", None), ArchiveEntry("modules/a.tf", b"hi")]


@pytest.mark.parametrize(
    ("entry", "fragment"),
    [
        (member("../evil.tf"), "'../evil.tf' leaves the archive"),
        (member("a/../../evil.tf"), "leaves the archive"),
        (member("/etc/passwd"), "absolute path"),
        (member("C:/x.tf"), "absolute path"),
        (member("a\\b.tf"), "backslash"),
        (member("a\nb.tf"), "control character"),
        (member("link", tarfile.SYMTYPE, target="/etc/passwd"), "'link' is a symbolic link"),
        (member("hard", tarfile.LNKTYPE, target="main.tf"), "'hard' is a hard link"),
        (member("pipe", tarfile.FIFOTYPE), "'pipe' is a named pipe"),
        (member("null", tarfile.CHRTYPE), "character device"),
        (member("sda", tarfile.BLKTYPE), "block device"),
        (member("odd", b"Z"), "unknown kind"),
        (member("x" * (MAX_COMPONENT_BYTES + 1)), "more than 255 bytes"),
        (member("/".join(["d" * 200] * 12)), "more than 2048 bytes"),
    ],
)
def test_tar_refuses_hostile_entry_by_name(entry: tarfile.TarInfo, fragment: str) -> None:
    with pytest.raises(BadRequest) as caught:
        list(iterate_tar(tar_of(entry)))

    assert fragment in caught.value.message


def test_tar_accepts_name_of_the_longest_length() -> None:
    name = "x" * MAX_COMPONENT_BYTES

    assert [entry.path for entry in iterate_tar(tar_of(member(name)))] == [name]


@pytest.mark.parametrize(
    "names",
    [("main.tf", "main.tf"), ("main.tf", "./main.tf"), ("main.tf", "main.tf/x"), ("a/b", "a")],
)
def test_tar_refuses_paths_that_collide(names: tuple[str, str]) -> None:
    with pytest.raises(BadRequest, match=r"twice|both as a file"):
        list(iterate_tar(tar_of(*(member(name) for name in names))))


def test_tar_counts_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_ENTRIES", 10)
    full = [member(f"f{number}") for number in range(10)]

    assert len(list(iterate_tar(tar_of(*full)))) == 10
    with pytest.raises(BadRequest, match="more than 10 entries"):
        list(iterate_tar(tar_of(*full, member("one more"))))


def test_tar_limits_unpacked_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 10)

    assert len(list(iterate_tar(tar_of(member("a", size=10), content=b"0123456789")))) == 1
    with pytest.raises(BadRequest, match=r"unpacks to more than .*at 'b'"):
        list(iterate_tar(tar_of(member("a", size=10), member("b", size=1), content=b"0123456789")))


def test_tar_refuses_sparse_file_that_declares_more_than_it_holds() -> None:
    info = member("huge.img")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(2**40),
        "GNU.sparse.map": "0,0",
    }

    with pytest.raises(BadRequest, match=r"sparse|not a readable tar"):
        list(iterate_tar(tar_of(info)))


def test_tar_with_negative_size_ends() -> None:
    data = bytearray(tar_of(member("a.tf"), member("b.tf")))
    # Base-256 form of a negative size; then the checksum over the header.
    data[124:136] = b"\xff" * 10 + b"\xfe\x00"
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])

    with pytest.raises(BadRequest):
        list(iterate_tar(bytes(data)))


def zipped(data: bytes) -> bytes:
    return zip_of({"a": data})


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data)


@pytest.mark.parametrize(("pack", "kind"), [(gzipped, "gzip"), (zipped, "zip")])
def test_compressed_data_is_named_and_refused(pack: Callable[[bytes], bytes], kind: str) -> None:
    with pytest.raises(BadRequest, match=f"is {kind} data; upload a plain .tar"):
        list(iterate_tar(pack(template_archive({"main.tf": "x"}))))


@pytest.mark.parametrize("cut", [100, 512, 600, 1000])
def test_truncated_tar_never_yields_half_a_file(cut: int) -> None:
    data = template_archive({"a.tf": "x" * 700})

    try:
        entries = list(iterate_tar(data[:cut]))
    except BadRequest:
        return
    assert entries == []


def test_damage_after_the_first_entry_is_seen() -> None:
    data = bytearray(template_archive({"a.tf": "x", "b.tf": "y"}))
    data[1024 + 148 : 1024 + 156] = b"garbage!"

    with pytest.raises(BadRequest, match="damaged"):
        list(iterate_tar(bytes(data)))


@pytest.mark.parametrize(
    ("name", "mode", "fragment"),
    [
        ("../evil", 0, "leaves the archive"),
        ("/evil", 0, "absolute path"),
        ("link", stat.S_IFLNK | 0o777, "link or special file"),
        ("pipe", stat.S_IFIFO | 0o600, "link or special file"),
    ],
)
def test_zip_refuses_hostile_entry_by_name(name: str, mode: int, fragment: str) -> None:
    with pytest.raises(BadRequest) as caught:
        zip_to_tar(zip_of({name: b"x"}, mode=mode))

    assert fragment in caught.value.message


def test_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zip_of({f"{number}.bin": b"\0" * 2**20 for number in range(8)})
    assert len(bomb) < 20_000
    monkeypatch.setattr(archive_module, "MAX_UNPACKED_BYTES", 7 * 2**20)

    with pytest.raises(BadRequest, match="unpacks to more than 7 MiB"):
        zip_to_tar(bomb)


def test_zip_that_lies_about_its_size_is_refused() -> None:
    data = bytearray(zip_of({"a.bin": b"\0" * 100_000}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (10).to_bytes(4, "little")

    with pytest.raises(BadRequest):
        zip_to_tar(bytes(data))


def test_encrypted_zip_is_refused() -> None:
    data = bytearray(zip_of({"a.tf": b"x"}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 8] |= 1

    with pytest.raises(BadRequest, match="encrypted"):
        zip_to_tar(bytes(data))


def test_files_survive_zip_and_tar_and_back() -> None:
    executable = stat.S_IFREG | 0o755
    packed = zip_of({"main.tf": b"a", "scripts/run.sh": b"#!/bin/sh\n"}, mode=executable)

    tar = zip_to_tar(packed)
    again = list(iterate_zip(tar_to_zip(tar)))

    assert again == list(iterate_tar(tar))
    assert again == [
        ArchiveEntry("main.tf", b"a", is_executable=True),
        ArchiveEntry("scripts/run.sh", b"#!/bin/sh\n", is_executable=True),
    ]


EXAMPLES = settings().max_examples

NAMES = st.one_of(
    st.sampled_from(["main.tf", "a", "a/b", "../x", "/x", ".", "", "a/../b", "..", "a//b", "./c", "main.tf/d", "\x00"]),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace").decode()),
)
KINDS = st.sampled_from(
    [tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, b"x", b"L", b"S"]
)


@settings(max_examples=3 * EXAMPLES, deadline=None)
@given(st.lists(st.tuples(NAMES, KINDS, st.binary(max_size=64)), max_size=6), st.data())
def test_no_archive_gets_out_or_crashes(entries: list[tuple[str, bytes, bytes]], data: st.DataObject) -> None:
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w") as archive:
        for name, kind, content in entries:
            info = member(name, kind, size=len(content))
            archive.addfile(info, io.BytesIO(content))
    packed = bytearray(output.getvalue())
    for position in data.draw(st.lists(st.integers(0, len(packed) - 1), max_size=4)):
        packed[position] ^= data.draw(st.integers(1, 255))

    seen: set[str] = set()
    try:
        for entry in iterate_tar(bytes(packed)):
            assert entry.path
            assert not entry.path.startswith("/")
            assert ".." not in entry.path.split("/")
            if entry.content is not None:
                assert entry.path not in seen
                seen.add(entry.path)
    except BadRequest:
        return


@settings(max_examples=2 * EXAMPLES, deadline=None)
@given(st.binary(max_size=2000))
def test_noise_is_refused_plainly(noise: bytes) -> None:
    for read in (iterate_tar, iterate_zip):
        try:
            entries = list(read(noise))
        except BadRequest:
            continue
        assert entries == []
