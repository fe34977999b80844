"""Fetch the browser libraries of the pages: `python -m scripts.vendor_assets`; quick when they are there.

Each is a release from the npm registry, pinned by version and integrity, and kept by version in the cache; what the
pages load of it, and its licence, goes into `web/assets/vendor/`, which git ignores and the wheel includes. No Node is
needed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from scripts.clone import ROOT
from scripts.environment import cache_folder, locked
from scripts.failures import ScriptFailure, exit_with_sentence
from scripts.progress import say

TARGET: Final = ROOT / "gateway" / "genba_gateway" / "web" / "assets" / "vendor"
REGISTRY: Final = "https://registry.npmjs.org"
FETCH_LIMIT_S: Final = 60
MAX_TARBALL_BYTES: Final = 32 * 1024 * 1024
"""The largest of them has 6 MiB."""


@dataclass(frozen=True, slots=True)
class Library:
    """One release of the registry, and which of its files the pages load."""

    name: str
    version: str
    integrity: str
    """As the registry and npm's lock files write it: algorithm and base64."""
    files: Mapping[str, str]
    """Name below `vendor/` to path in the tarball."""

    @property
    def file_name(self) -> str:
        """The tarball's name in the cache."""
        return f"{self.name.replace('@', '').replace('/', '-')}-{self.version}.tgz"

    @property
    def address(self) -> str:
        """Where the tarball is below the registry."""
        return f"{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


LIBRARIES: Final = (
    Library(
        "htmx.org",
        "2.0.8",
        "sha512-fm297iru0iWsNJlBrjvtN7V9zjaxd+69Oqjh4F/Vq9Wwi2kFisLcrLCiv5oBX0KLfOX/zG8AUo9ROMU5XUB44Q==",
        {"htmx.js": "dist/htmx.min.js", "htmx.LICENSE": "LICENSE"},
    ),
    Library(
        "htmx-ext-sse",
        "2.2.4",
        "sha512-LJmxVhykyflBWgh5PvbRidcyuqMHlgfajmmzumvKctv9puvsufeH6OaejSMZTNTnEI8O2wXXn4ZZtBdpEMqmEQ==",
        {"htmx-sse.js": "dist/sse.min.js", "htmx-sse.LICENSE": "LICENSE"},
    ),
    Library(
        "@xterm/xterm",
        "6.0.0",
        "sha512-TQwDdQGtwwDt+2cgKDLn0IRaSxYu1tSUjgKarSDkUM0ZNiSRXFpjxEsvc/Zgc5kq5omJ+V0a8/kIM2WD3sMOYg==",
        {"xterm.mjs": "lib/xterm.mjs", "xterm.css": "css/xterm.css", "xterm.LICENSE": "LICENSE"},
    ),
    Library(
        "@xterm/addon-fit",
        "0.11.0",
        "sha512-jYcgT6xtVYhnhgxh3QgYDnnNMYTcf8ElbxxFzX0IZo+vabQqSPAjC3c1wJrKB5E19VwQei89QCiZZP86DCPF7g==",
        {"xterm-fit.mjs": "lib/addon-fit.mjs", "xterm-fit.LICENSE": "LICENSE"},
    ),
    Library(
        "@xterm/addon-web-links",
        "0.12.0",
        "sha512-4Smom3RPyVp7ZMYOYDoC/9eGJJJqYhnPLGGqJ6wOBfB8VxPViJNSKdgRYb8NpaM6YSelEKbA2SStD7lGyqaobw==",
        {"xterm-web-links.mjs": "lib/addon-web-links.mjs", "xterm-web-links.LICENSE": "LICENSE"},
    ),
    Library(
        "@xterm/addon-unicode11",
        "0.9.0",
        "sha512-FxDnYcyuXhNl+XSqGZL/t0U9eiNb/q3EWT5rYkQT/zuig8Gz/VagnQANKHdDWFM2lTMk9ly0EFQxxxtZUoRetw==",
        {"xterm-unicode11.mjs": "lib/addon-unicode11.mjs", "xterm-unicode11.LICENSE": "LICENSE"},
    ),
)


def vendor_assets(libraries: tuple[Library, ...] = LIBRARIES, target: Path = TARGET) -> None:
    """Put the files of the libraries into `target`, and remove what is there of others.

    Raises:
        ScriptFailure: a release can't be had, or is not what was pinned.
    """
    stamp, wanted = target / "versions.txt", stamp_of(libraries)
    if _holds(stamp, wanted):
        return
    cache = cache_folder() / "npm"
    cache.mkdir(parents=True, exist_ok=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(cache / "vendor.lock"):
        work = Path(tempfile.mkdtemp(prefix=".vendor-", dir=target.parent))
        try:
            for library in libraries:
                unpack_files(library, fetch_tarball(library, cache), work)
            (work / stamp.name).write_text(wanted, encoding="utf-8")
            work.chmod(0o755)
            shutil.rmtree(target, ignore_errors=True)
            work.rename(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def stamp_of(libraries: tuple[Library, ...]) -> str:
    """What `target` holds when it is complete."""
    return "".join(f"{each.name} {each.version} {each.integrity} {dict(each.files)}\n" for each in libraries)


def fetch_tarball(library: Library, cache: Path) -> bytes:
    """The release's tarball, from the cache or the registry, checked either way.

    Raises:
        ScriptFailure: it can't be had, or is not what was pinned.
    """
    kept = cache / library.file_name
    if kept.exists() and is_intact(data := kept.read_bytes(), library.integrity):
        return data
    registry = os.environ.get("npm_config_registry", REGISTRY)  # noqa: SIM112 - npm's own spelling
    address = f"{registry.rstrip('/')}/{library.address}"
    say(f"fetching {library.name} {library.version} for the pages")
    data = _download(address)
    if not is_intact(data, library.integrity):
        raise ScriptFailure(f"{address} is not the release that scripts/vendor_assets.py pins: nothing of it was used")
    partial = kept.with_suffix(".part")
    partial.write_bytes(data)
    partial.replace(kept)
    return data


def is_intact(data: bytes, integrity: str) -> bool:
    """Whether the bytes are those that an integrity of the registry means."""
    algorithm, _, wanted = integrity.partition("-")
    try:
        return algorithm == "sha512" and hashlib.sha512(data).digest() == base64.b64decode(wanted, validate=True)
    except binascii.Error:
        return False


def unpack_files(library: Library, tarball: bytes, folder: Path) -> None:
    """Write the files that the pages load; nothing else of the tarball touches the disk.

    Raises:
        ScriptFailure: the release lacks one of them.
    """
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for name, path in library.files.items():
            try:
                source = archive.extractfile(f"package/{path}")
            except KeyError:
                source = None
            if source is None:
                raise ScriptFailure(
                    f"{library.name} {library.version} has no file {path}: mend scripts/vendor_assets.py"
                )
            content = source.read()
            if name.endswith((".js", ".mjs")):
                # Their maps are not served: a browser's tools would ask for them in vain.
                content = b"\n".join(
                    line for line in content.split(b"\n") if not line.startswith(b"//# sourceMappingURL")
                )
            (folder / name).write_bytes(content)


def _download(address: str) -> bytes:
    if not address.startswith(("https://", "http://")):
        raise ScriptFailure(f"The registry's address {address} is neither https nor http: set npm_config_registry")
    try:
        with urllib.request.urlopen(address, timeout=FETCH_LIMIT_S) as answer:  # noqa: S310 - checked above
            data: bytes = answer.read(MAX_TARBALL_BYTES + 1)
    except (urllib.error.URLError, OSError) as error:
        why = error.reason if isinstance(error, urllib.error.URLError) else error
        raise ScriptFailure(
            f"{address} could not be fetched ({why}): check the way to the npm registry, or name a mirror: "
            "export npm_config_registry=https://…"
        ) from error
    if len(data) > MAX_TARBALL_BYTES:
        raise ScriptFailure(f"{address} is larger than {MAX_TARBALL_BYTES} bytes: it is not what was pinned")
    return data


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except OSError:
        return False


def main() -> None:
    """Fetch what is missing."""
    with exit_with_sentence():
        vendor_assets()


if __name__ == "__main__":
    main()
