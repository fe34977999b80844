"""Finds the Terraform or OpenTofu program, or downloads a pinned release of Terraform.

Terraform 1.6 and later is under BUSL-1.1: none is shipped, and a download is announced with its licence.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import platform
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import httpx

from genba_gateway.errors import ConfigError

PINNED_VERSION = "1.11.4"
RELEASES_URL = "https://releases.hashicorp.com/terraform"
LICENCE = "BUSL-1.1"
# SHA-256 of terraform_<version>_<platform>.zip as published with the release.
PINNED_SHA256: Mapping[str, str] = {
    "linux_amd64": "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    "linux_arm64": "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
    "linux_arm": "3cf072a049ab0178e9cbec47a14712ba7f38cc8ef061f3a7c0ff57b83d320edd",
    "linux_386": "8e4bd232ce8b0cde2a90132a9c4d25665791c7a48bbb159f5cd4988265d10372",
    "darwin_amd64": "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    "darwin_arm64": "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
}
# `terraform_data`, which templates without a cloud use, came with 1.4; the contract's oldest is 1.1.
MINIMUM_VERSION = (1, 1)
VERSION_TIMEOUT_S = 30.0
DOWNLOAD_TIMEOUT_S = 60.0
# The zip has 27 MB; something far larger is not it.
MAX_DOWNLOAD_BYTES = 200 * 1024 * 1024

REMEDY = "install terraform (https://developer.hashicorp.com/terraform/install) or tofu, and put it on PATH"

_MACHINES = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i386": "386",
    "i686": "386",
}
_VERSION = re.compile(r"^(Terraform|OpenTofu) v(\d+)\.(\d+)(\S*)", re.MULTILINE)

OnProgress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TerraformBinary:
    """A program that answered to `version`."""

    path: Path
    version: str
    kind: Literal["terraform", "tofu"]


@dataclass(frozen=True, slots=True)
class Release:
    """What is downloaded and from where; the checksums are by platform."""

    version: str
    base_url: str
    sha256: Mapping[str, str]


PINNED_RELEASE = Release(PINNED_VERSION, RELEASES_URL, PINNED_SHA256)


async def find_terraform(
    configured: str | None, cache_dir: Path, on_progress: OnProgress, *, release: Release = PINNED_RELEASE
) -> TerraformBinary:
    """Return the configured program, else `terraform` or `tofu` on PATH, else a downloaded release.

    Args:
        configured: path or name of the program, None to look for it.
        cache_dir: where a download is kept; made when needed.
        on_progress: called with a line for people when something is downloaded.
        release: what is downloaded.

    Raises:
        ConfigError: there is none and it can't be downloaded, or it is too old.
    """
    if configured:
        found = await asyncio.to_thread(shutil.which, configured)
        if found is None:
            raise ConfigError(
                f"The configured Terraform program {configured!r} does not exist or is not executable; {REMEDY}."
            )
        return await _examine(Path(found))
    for name in ("terraform", "tofu"):
        found = await asyncio.to_thread(shutil.which, name)
        if found is not None:
            return await _examine(Path(found))
    cached = cache_dir / f"terraform-{release.version}"
    if not await asyncio.to_thread(os.access, cached, os.X_OK):
        await _download(release, cached, on_progress)
    return await _examine(cached)


async def _examine(path: Path) -> TerraformBinary:
    path = await asyncio.to_thread(path.absolute)
    output = await _ask_version(path)
    match = _VERSION.search(output)
    if match is None:
        raise ConfigError(f"{path} does not answer like Terraform or OpenTofu; {REMEDY}.", detail=output[:1000])
    product, major, minor, rest = match.groups()
    version = f"{major}.{minor}{rest}"
    if (int(major), int(minor)) < MINIMUM_VERSION:
        raise ConfigError(
            f"{path} is {product} {version}, and at least {'.'.join(map(str, MINIMUM_VERSION))} is needed; {REMEDY}."
        )
    return TerraformBinary(path=path, version=version, kind="tofu" if product == "OpenTofu" else "terraform")


async def _ask_version(path: Path) -> str:
    environment = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "version",
            env={**environment, "CHECKPOINT_DISABLE": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
    except OSError as error:
        raise ConfigError(f"{path} could not be started ({error.strerror}); {REMEDY}.") from error
    try:
        async with asyncio.timeout(VERSION_TIMEOUT_S):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise ConfigError(f"{path} did not answer to `version` in {VERSION_TIMEOUT_S:.0f} s; {REMEDY}.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return output.decode("utf-8", "replace")


async def _download(release: Release, target: Path, on_progress: OnProgress) -> None:
    system = f"{platform.system().lower()}_{_MACHINES.get(platform.machine().lower(), platform.machine())}"
    checksum = release.sha256.get(system)
    if checksum is None:
        raise ConfigError(f"Terraform is not on PATH, and none is known for {system}; {REMEDY}.")
    url = f"{release.base_url}/{release.version}/terraform_{release.version}_{system}.zip"
    on_progress(f"Downloading Terraform {release.version} (licence {LICENCE}) from {url}")
    try:
        data = await _fetch(url)
        await asyncio.to_thread(_install, data, checksum, url, target)
    except (httpx.HTTPError, OSError, zipfile.BadZipFile, KeyError) as error:
        raise ConfigError(
            f"Terraform is not on PATH and could not be downloaded from {url}; {REMEDY}.", detail=str(error)
        ) from error
    on_progress(f"Installed Terraform {release.version} as {target}")


async def _fetch(url: str) -> bytes:
    data = bytearray()
    async with (
        httpx.AsyncClient(timeout=DOWNLOAD_TIMEOUT_S, follow_redirects=True) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        async for chunk in response.aiter_bytes():
            data += chunk
            if len(data) > MAX_DOWNLOAD_BYTES:
                # The checksum of what came so far says that it is not the release.
                break
    return bytes(data)


def _install(data: bytes, checksum: str, url: str, target: Path) -> None:
    """Check and unpack the one program; it appears under its name whole and executable, or not at all."""
    received = hashlib.sha256(data).hexdigest()
    if received != checksum:
        raise ConfigError(
            f"What {url} sent does not have the release's checksum and was thrown away; {REMEDY}.",
            detail=f"expected SHA-256 {checksum}, got {received}",
        )
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".terraform-") as scratch:
        draft = Path(scratch) / "terraform"
        with (
            zipfile.ZipFile(io.BytesIO(data)) as unpacked,
            unpacked.open("terraform") as source,
            draft.open("wb") as file,
        ):
            shutil.copyfileobj(source, file)
        draft.chmod(0o755)
        draft.replace(target)
