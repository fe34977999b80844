from __future__ import annotations

import base64
import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from scripts.failures import ScriptFailure
from scripts.vendor_assets import LIBRARIES, Library, is_intact, unpack_files, vendor_assets


def _pack(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def _library(tarball: bytes, version: str = "1.0.0") -> Library:
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    return Library("@scope/name", version, integrity, {"name.js": "dist/name.js", "name.LICENSE": "LICENSE"})


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm cache; nothing listens where the registry is said to be."""
    monkeypatch.setenv("GENBA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    (tmp_path / "cache" / "npm").mkdir(parents=True)
    return tmp_path / "cache" / "npm"


def test_files_come_from_the_cache_without_the_registry(cache: Path, tmp_path: Path) -> None:
    tarball = _pack({"dist/name.js": b"code\n//# sourceMappingURL=name.js.map\n", "LICENSE": b"0BSD", "other.js": b""})
    library = _library(tarball)
    (cache / library.file_name).write_bytes(tarball)
    target = tmp_path / "web" / "vendor"
    vendor_assets((library,), target)
    assert sorted(file.name for file in target.iterdir()) == ["name.LICENSE", "name.js", "versions.txt"]
    assert (target / "name.js").read_bytes() == b"code\n"
    (cache / library.file_name).unlink()
    vendor_assets((library,), target)  # nothing is to be done, so nothing is asked for


def test_another_version_replaces_what_is_there(cache: Path, tmp_path: Path) -> None:
    target = tmp_path / "vendor"
    for version in ("1.0.0", "2.0.0"):
        tarball = _pack({"dist/name.js": version.encode(), "LICENSE": b"0BSD"})
        library = _library(tarball, version)
        (cache / library.file_name).write_bytes(tarball)
        vendor_assets((library,), target)
    assert (target / "name.js").read_bytes() == b"2.0.0"
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".vendor-")] == []


def test_a_tarball_that_is_not_the_pinned_one_is_never_used(cache: Path, tmp_path: Path) -> None:
    library = _library(_pack({"dist/name.js": b"good", "LICENSE": b""}))
    (cache / library.file_name).write_bytes(_pack({"dist/name.js": b"evil", "LICENSE": b""}))
    with pytest.raises(ScriptFailure, match=r"could not be fetched .* npm_config_registry"):
        vendor_assets((library,), tmp_path / "vendor")
    assert not (tmp_path / "vendor").exists()


def test_a_release_without_a_file_is_named(tmp_path: Path) -> None:
    tarball = _pack({"dist/name.js": b""})
    with pytest.raises(ScriptFailure, match=r"@scope/name 1.0.0 has no file LICENSE"):
        unpack_files(_library(tarball), tarball, tmp_path)


@pytest.mark.parametrize("integrity", ["", "sha512-", "sha512-%%%", "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="])
def test_only_a_sha512_is_believed(integrity: str) -> None:
    assert not is_intact(b"", integrity)


def test_every_library_is_pinned_and_brings_its_licence() -> None:
    for library in LIBRARIES:
        assert library.integrity.startswith("sha512-")
        assert any(name.endswith(".LICENSE") for name in library.files)
