"""What the executable holds: Debian's packages, wheels, and what of them nothing of ours uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RELEASE: Final = "bookworm"
"""Its Python is 3.11 and its C library 2.36; both travel along, so that images of any age will do."""

ARCHIVES: Final = (
    f"http://deb.debian.org/debian {RELEASE} main",
    f"http://deb.debian.org/debian-security {RELEASE}-security main",
)

KEYRING: Final = "/usr/share/keyrings/debian-archive-keyring.gpg"
"""Part of every Debian; Ubuntu has it in its package debian-archive-keyring."""


@dataclass(frozen=True, slots=True)
class Platform:
    """One kind of machine, by its names in Debian, in wheels and in the C library."""

    arch: str
    triplet: str
    machine: str
    loader: str


PLATFORMS: Final = {
    "amd64": Platform("amd64", "x86_64-linux-gnu", "x86_64", "ld-linux-x86-64.so.2"),
    "arm64": Platform("arm64", "aarch64-linux-gnu", "aarch64", "ld-linux-aarch64.so.1"),
}

DEBS: Final = (
    "libbz2-1.0",
    "libc6",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "liblzma5",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libssl3",
    "libuuid1",
    "python3.11-minimal",
    "zlib1g",
)

LIBRARIES: Final = (
    "ld-linux-*",
    "libbz2.so.1.0",
    "libc.so.6",
    "libcrypto.so.3",
    "libdl.so.2",
    "libexpat.so.1*",
    "libffi.so.8*",
    "libgcc_s.so.1",
    "liblzma.so.5*",
    "libm.so.6",
    "libnss_compat.so.2",
    "libnss_dns.so.2",
    "libnss_files.so.2",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libssl.so.3",
    "libutil.so.1",
    "libuuid.so.1*",
    "libz.so.1*",
)

WHEELS: Final = (
    "anyio",
    "asyncssh",
    "attrs",
    "cattrs",
    "certifi",
    "cffi",
    "click",
    "croniter",
    "cryptography",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "lsprotocol",
    "msgspec",
    "psutil",
    "pygls",
    "python-dateutil",
    "pyyaml",
    "rich",
    "typing-extensions",
    "tzdata",
    "websockets",
)
"""Distributions of requirements-run.lock that agent, command line and bridge import; a test imports all of them."""

PORTABLE_WHEELS: Final = tuple(
    name for name in WHEELS if name not in ("asyncssh", "croniter", "psutil", "python-dateutil")
)
"""Those that command line and bridge import, without what only the agent of a workspace needs."""

PORTABLE_PACKAGES: Final = ("wire/genba_wire", "ide-bridge/genba_ide_bridge")

KEEP_DAYS: Final = 14
"""A version unpacked this long ago is removed when another is unpacked beside it and none of its processes lives."""

PACKAGES: Final = ("wire/genba_wire", "agent/genba_agent", "ide-bridge/genba_ide_bridge")

LEFT_OUT: Final = (
    "__pycache__",
    "config-3.11-*",
    "curses",
    "dbm",
    "distutils",
    "ensurepip",
    "idlelib",
    "lib2to3",
    "msilib",
    "pydoc_data",
    "sqlite3",
    "test",
    "tests",
    "tkinter",
    "turtledemo",
    "unittest",
    "venv",
    "wsgiref",
    "xmlrpc",
    "sitecustomize.py",
    "_codecs_*.so",
    "_ctypes_test*.so",
    "_curses*.so",
    "_dbm*.so",
    "_sqlite3*.so",
    "_test*.so",
    "_xx*.so",
    "_yaml*.so",
    "audioop*.so",
    "nis*.so",
    "ossaudiodev*.so",
    "readline*.so",
    "xxlimited*.so",
    "*.pyi",
    "*.c",
    "*.h",
    "RECORD",
)
"""Names of files and folders; `unittest` and the like are never imported by what runs in a workspace."""

ENCODINGS: Final = (
    "__init__.py",
    "aliases.py",
    "ascii.py",
    "charmap.py",
    "cp1252.py",
    "cp437.py",
    "idna.py",
    "iso8859_1.py",
    "latin_1.py",
    "punycode.py",
    "raw_unicode_escape.py",
    "undefined.py",
    "unicode_escape.py",
    "utf_16.py",
    "utf_16_be.py",
    "utf_16_le.py",
    "utf_32.py",
    "utf_8.py",
    "utf_8_sig.py",
)
"""Text is UTF-8 here; the other eighty serve old files that nothing of ours reads."""
