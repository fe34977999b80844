"""Real nginx and HAProxy from Debian's packages, with the settings that docs/networks.md publishes.

They run as one process in the foreground, with a folder of their own, on loopback.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import subprocess
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from tests.support.debian_packages import MissingPart, find_program
from tests.support.real_gateway import CEILING_S

PAGE: Final = Path(__file__).parents[2] / "docs" / "networks.md"

NGINX: Final = """\
daemon off;
master_process off;
error_log {folder}/nginx.log info;
pid {folder}/nginx.pid;
{user}
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{site}
}}
"""
"""What a test's process needs; all else is nginx's default."""

HAPROXY_LIBRARIES: Final = ("liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")
"""What it needs beside libraries that every Debian has."""


def read_snippet(title: str) -> str:
    """The settings that docs/networks.md shows under a heading."""
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^#+ {re.escape(title)}\n.*?^```\w*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/networks.md has no settings under {title!r}"
    return found[1]


def replace_all(text: str, changes: Mapping[str, str]) -> str:
    """Put a test's values for those of the page, each of which has to be there."""
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in:\n{text}"
        text = text.replace(old, new)
    return text


@functools.cache
def find_haproxy() -> tuple[Path, Mapping[str, str]]:
    """Where HAProxy is, and what it needs in its environment.

    Raises:
        MissingPart: it can't be had.
    """
    program, needs = find_program("usr/sbin/haproxy", "haproxy", *HAPROXY_LIBRARIES)
    environment = {**os.environ, **needs}
    asked = subprocess.run([program, "-v"], env=environment, capture_output=True, text=True, timeout=30, check=False)
    if asked.returncode != 0:
        raise MissingPart(f"HAProxy does not run here: {asked.stderr.strip()}")
    return program, needs


@asynccontextmanager
async def running_nginx(folder: Path, site: str, port: int) -> AsyncGenerator[None]:
    """Run nginx with what belongs into its `http` block until the block ends; it listens on `port` then."""
    program, environment = await asyncio.to_thread(find_program, "usr/sbin/nginx", "nginx")
    config = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    text = NGINX.format(folder=folder, user=user, site=site)
    await asyncio.to_thread(_write, config, text)
    async with _running(
        [str(program), "-p", str(folder), "-e", f"{folder}/nginx.log", "-c", str(config)], port, environment
    ):
        yield


@asynccontextmanager
async def running_haproxy(folder: Path, site: str, port: int) -> AsyncGenerator[None]:
    """Run HAProxy with these settings until the block ends; it listens on `port` then."""
    program, environment = await asyncio.to_thread(find_haproxy)
    config = folder / "haproxy.cfg"
    await asyncio.to_thread(_write, config, site)
    async with _running([str(program), "-db", "-f", str(config)], port, environment):
        yield


@asynccontextmanager
async def _running(command: list[str], port: int, environment: Mapping[str, str]) -> AsyncGenerator[None]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(CEILING_S):
            while not await _is_listening(port):
                if process.returncode is not None:
                    raise AssertionError(f"{command[0]} ended: {(await process.stderr.read()).decode()}")
                await asyncio.sleep(0.01)
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def _is_listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
