"""Template archives: what may be in one, and tar from zip and back. Pure: bytes in, bytes out.

Everything here comes from users, so nothing is believed: names, types, sizes and counts are checked before
anything is written, and each refusal names the entry and what to do about it.
"""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from genba_gateway.errors import BadRequest

# A template is a folder of text files; ten thousand entries are a vendored provider or a mistake.
MAX_ENTRIES = 10_000
# All files together. Uploads end at 100 MiB (contract 4.1), so this leaves room for zip's compression and
# still fits into memory twice.
MAX_UNPACKED_BYTES = 256 * 1024 * 1024
# Limits of the file systems that a template is unpacked to: NAME_MAX, and PATH_MAX with room for our own path.
MAX_COMPONENT_BYTES = 255
MAX_PATH_BYTES = 2048

_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PK\x03\x04": "zip",
}
_TAR_TYPES = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.CHRTYPE: "a character device",
    tarfile.BLKTYPE: "a block device",
    tarfile.FIFOTYPE: "a named pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
_TAR_FAULTS = (tarfile.TarError, ValueError, OverflowError, EOFError, IndexError, KeyError, RecursionError, OSError)
_ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
    EOFError,
    IndexError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """One file or directory: `path` is relative with `/`, `content` is None for a directory."""

    path: str
    content: bytes | None
    is_executable: bool = False


class _Inventory:
    """Checks entries one by one, and what they are together."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._directories: set[str] = set()
        self._entries = 0
        self._left_bytes = MAX_UNPACKED_BYTES

    def admit(self, raw_name: str, *, is_directory: bool, size_bytes: int) -> str | None:
        """Return the entry's clean path, or None for the root itself; raises BadRequest."""
        self._entries += 1
        if self._entries > MAX_ENTRIES:
            raise BadRequest(
                f"The archive has more than {MAX_ENTRIES} entries; "
                "leave out .git, .terraform and other generated folders."
            )
        path = _clean_path(raw_name)
        if not path:
            return None
        if size_bytes < 0:
            raise BadRequest(f"The archive is damaged at {path!r}; make it anew.")
        self._left_bytes -= size_bytes
        if self._left_bytes < 0:
            raise BadRequest(
                f"The archive unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB (at {path!r}); "
                "leave out binaries and generated files."
            )
        self._place(path, is_directory=is_directory)
        return path

    def _place(self, path: str, *, is_directory: bool) -> None:
        if path in self._files or (path in self._directories and not is_directory):
            raise BadRequest(f"The archive holds {path!r} twice; make it anew with one of them.")
        parent = path
        while "/" in parent:
            parent = parent.rpartition("/")[0]
            if parent in self._files:
                raise BadRequest(f"The archive holds {parent!r} both as a file and as a folder; make it anew.")
            self._directories.add(parent)
        (self._directories if is_directory else self._files).add(path)


def _clean_path(name: str) -> str:
    shown = name[:200]
    try:
        encoded = name.encode("utf-8")
    except UnicodeEncodeError:
        raise BadRequest(f"The archive's entry {shown!r} has a name that is not UTF-8; rename it.") from None
    if name.startswith("/") or (len(name) > 1 and name[1] == ":"):
        raise BadRequest(f"The archive's entry {shown!r} has an absolute path; pack it with relative paths.")
    if "\\" in name or any(ord(character) < 0x20 or ord(character) == 0x7F for character in name):
        raise BadRequest(f"The archive's entry {shown!r} has a backslash or control character in its name; rename it.")
    if len(encoded) > MAX_PATH_BYTES:
        raise BadRequest(f"The archive's entry {shown!r}… has a path of more than {MAX_PATH_BYTES} bytes; shorten it.")
    components = [component for component in name.split("/") if component not in ("", ".")]
    for component in components:
        if component == "..":
            raise BadRequest(f"The archive's entry {shown!r} leaves the archive by '..'; pack the folder itself.")
        if len(component.encode("utf-8")) > MAX_COMPONENT_BYTES:
            raise BadRequest(f"The archive's entry {shown!r}… has a name of more than {MAX_COMPONENT_BYTES} bytes.")
    return "/".join(components)


def iterate_tar(data: bytes) -> Iterator[ArchiveEntry]:
    """Yield the checked entries of an uncompressed tar archive.

    Raises:
        BadRequest: something in it is not allowed; entries before it were already yielded.
    """
    for magic, kind in _COMPRESSED.items():
        if data.startswith(magic):
            raise BadRequest(f"The archive is {kind} data; upload a plain .tar (or a .zip as application/zip).")
    inventory = _Inventory()
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            while (member := archive.next()) is not None:
                entry = _read_tar_member(archive, member, inventory)
                if entry is not None:
                    yield entry
            if any(data[archive.offset : archive.offset + tarfile.BLOCKSIZE]):
                raise BadRequest("The archive is damaged: it does not end like a tar file; make it anew.")
    except _TAR_FAULTS as error:
        raise BadRequest("The file is not a readable tar archive; make it anew.", detail=str(error)) from error


def _read_tar_member(archive: tarfile.TarFile, member: tarfile.TarInfo, inventory: _Inventory) -> ArchiveEntry | None:
    kind = "a sparse file" if member.issparse() else _TAR_TYPES.get(member.type)
    if kind is not None or not (member.isreg() or member.isdir()):
        raise BadRequest(
            f"The archive's entry {member.name[:200]!r} is {kind or 'of an unknown kind'}; "
            "a template holds plain files and folders only, so put a copy in its place."
        )
    size_bytes = member.size if member.isreg() else 0
    path = inventory.admit(member.name, is_directory=member.isdir(), size_bytes=size_bytes)
    if path is None:
        return None
    if member.isdir():
        return ArchiveEntry(path, None)
    stream = archive.extractfile(member)
    content = b"" if stream is None else stream.read()
    if len(content) != size_bytes:
        raise BadRequest(f"The archive ends in the middle of {path!r}; upload it again.")
    return ArchiveEntry(path, content, is_executable=bool(member.mode & stat.S_IXUSR))


def iterate_zip(data: bytes) -> Iterator[ArchiveEntry]:
    """Yield the checked entries of a zip archive; declared sizes are enforced while unpacking.

    Raises:
        BadRequest: something in it is not allowed; entries before it were already yielded.
    """
    inventory = _Inventory()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                entry = _read_zip_member(archive, member, inventory)
                if entry is not None:
                    yield entry
    except _ZIP_FAULTS as error:
        raise BadRequest("The file is not a readable zip archive; make it anew.", detail=str(error)) from error


def _read_zip_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, inventory: _Inventory) -> ArchiveEntry | None:
    mode = member.external_attr >> 16
    kind = stat.S_IFMT(mode)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise BadRequest(
            f"The archive's entry {member.filename[:200]!r} is a link or special file; "
            "a template holds plain files and folders only, so put a copy in its place."
        )
    if member.flag_bits & 0x1:
        raise BadRequest(f"The archive's entry {member.filename[:200]!r} is encrypted; pack it without a password.")
    path = inventory.admit(member.filename, is_directory=member.is_dir(), size_bytes=member.file_size)
    if path is None:
        return None
    if member.is_dir():
        return ArchiveEntry(path, None)
    with archive.open(member) as stream:
        content = stream.read(member.file_size + 1)
    if len(content) != member.file_size:
        raise BadRequest(f"The archive's entry {path!r} does not have the size that it declares; make it anew.")
    return ArchiveEntry(path, content, is_executable=bool(mode & stat.S_IXUSR))


def zip_to_tar(data: bytes) -> bytes:
    """Convert an uploaded zip into the tar that is stored; raises BadRequest."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in iterate_zip(data):
            member = tarfile.TarInfo(entry.path)
            if entry.content is None:
                member.type, member.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(member)
            else:
                member.size, member.mode = len(entry.content), 0o755 if entry.is_executable else 0o644
                archive.addfile(member, io.BytesIO(entry.content))
    return output.getvalue()


def tar_to_zip(data: bytes) -> bytes:
    """Convert a stored tar into the zip that a client asked for; raises BadRequest."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, mode="w", compression=zipfile.ZIP_DEFLATED) as archive:
        for entry in iterate_tar(data):
            name = f"{entry.path}/" if entry.content is None else entry.path
            member = zipfile.ZipInfo(name)
            member.compress_type = zipfile.ZIP_DEFLATED
            if entry.content is None:
                member.external_attr = (stat.S_IFDIR | 0o755) << 16 | 0x10
            else:
                member.external_attr = (stat.S_IFREG | (0o755 if entry.is_executable else 0o644)) << 16
            archive.writestr(member, entry.content or b"")
    return output.getvalue()
