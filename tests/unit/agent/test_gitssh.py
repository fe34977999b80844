"""`gitssh` as git starts it: a process, with an ssh on PATH that shows what it was given."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.agent_builders import make_manifest
from tests.support.agent_gateway import TOKEN, running_gateway

SSH = """#!/bin/sh
key=
for word; do
    [ "$last" = -i ] && key=$word
    last=$word
done
echo "arguments: $*"
echo "key file: $key"
stat -c %a "$key"
cat "$key"
env | grep GENBA_
exit 7
"""


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(SSH)
    (folder / "ssh").chmod(0o755)
    return folder


async def run_gitssh(environ: Mapping[str, str], *argv: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "genba_agent", "gitssh", *argv,
        env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_ssh_gets_the_key_as_a_private_file_that_is_removed(tmp_path: Path, programs: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id_ed25519").touch()
    async with running_gateway(make_manifest()) as gateway:
        gateway.git_key = {"public_key": "ssh-ed25519 AAAA", "private_key": "-----BEGIN KEY-----\nabc"}
        environ = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "TMPDIR": str(tmp_path),
            "CODER_AGENT_URL": gateway.url,
            "CODER_AGENT_TOKEN": TOKEN,
            "CODER_AGENT_HEADER": "X-Way=in",
            "CODER_AGENT_HEADER_COMMAND": "echo X-Pass=secret",
            "GENBA_EXECUTABLE": "/opt/genba",
        }
        status, out, err = await run_gitssh(environ, "--", "git@example.com", "git-upload-pack 'a b'")
    lines = out.splitlines()
    assert status == 7, err
    (request,) = gateway.requests
    assert (request.headers["x-way"], request.headers["x-pass"]) == ("in", "secret")
    assert lines[0].endswith("git@example.com git-upload-pack 'a b'")
    # The user's own key is tried first: ssh does not by itself once it is given one.
    assert lines[0].startswith(f"arguments: -i {home}/.ssh/id_ed25519 -i {tmp_path}")
    assert lines[2:] == ["600", "-----BEGIN KEY-----", "abc"]
    key_file = lines[1].removeprefix("key file: ")
    assert not os.path.exists(key_file)  # noqa: ASYNC240  # one look


async def test_outside_of_a_workspace_one_sentence_and_255(programs: Path) -> None:
    status, _, err = await run_gitssh({"PATH": str(programs)}, "--", "host")
    assert status == 255
    assert "CODER_AGENT_URL" in err
    assert err.count("\n") == 1


async def test_refusal_of_the_key_is_said(programs: Path) -> None:
    async with running_gateway(make_manifest()) as gateway:
        gateway.fail_next("gitsshkey", 500)
        environ = {"PATH": str(programs), "CODER_AGENT_URL": gateway.url, "CODER_AGENT_TOKEN": TOKEN}
        status, _, err = await run_gitssh(environ, "--", "host")
    assert status == 255
    assert err == "Can't fetch your git SSH key: Failed with 500.\n"
