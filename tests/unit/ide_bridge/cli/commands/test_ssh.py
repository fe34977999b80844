"""`genba ssh` and its way to a workspace, up to the carrier (tests/e2e/test_ssh.py goes on from there)."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from genba_wire.api.agents import WorkspaceAgent
from tests.support.cli_builders import (
    make_agent,
    make_build,
    make_host_authority,
    make_resource,
    make_ssh_config,
    make_workspace,
)
from tests.support.cli_gateway import CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway, **more: str) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": gateway.token, **more}


def add_workspace(
    gateway: CliGateway, agent: WorkspaceAgent | None = None, *, owner: str = "alice", **changes: Any
) -> str:
    """A workspace `dev` that runs, unless the build's changes say otherwise; returns its id."""
    build = make_build(resources=[make_resource([agent or make_agent()])], **changes)
    workspace = gateway.add_workspace(make_workspace(latest_build=build, owner_name=owner))
    return workspace.id


@pytest.mark.parametrize("host", ["dev", "dev.main", "ann--dev.main"])
async def test_few_requests_lead_to_a_carrier(tmp_path: Path, host: str) -> None:
    async with running_cli_gateway() as gateway:
        add_workspace(gateway)
        done = await run_genba("ssh", "--stdio", host, folder=tmp_path, env=session(gateway))
    assert done.out == ""
    assert done.code == 255
    paths = [re.sub(r"[0-9a-f-]{36}", "ID", request.path) for request in gateway.requests]
    owner = "ann" if "ann" in host else "me"
    # The rest asks why the gateway of this test takes no carrier.
    assert paths[:2] == [f"/api/v2/users/{owner}/workspace/dev", "/api/v2/workspaceagents/ID/tickets"]
    assert gateway.requests[1].json() == {"purpose": "ssh"}


async def test_a_log_is_kept_where_editors_look_for_it(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        add_workspace(gateway)
        call = ("ssh", "--stdio", "--log-dir", str(tmp_path / "logs"), "-v", "dev")
        await run_genba(*call, folder=tmp_path, env=session(gateway))
    (path,) = (tmp_path / "logs").iterdir()
    assert re.fullmatch(r"coder-ssh-\d{8}-\d{6}-[a-z]{5}-\d+\.log", path.name)
    said = path.read_text()
    assert "Connecting to the agent main of dev" in said
    assert gateway.token not in said


async def fake_ssh(folder: Path) -> str:
    """A PATH whose `ssh` says how it was called, and how this program would be called by it."""
    (folder / "bin").mkdir()
    path = folder / "bin" / "ssh"
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\necho "token=$GENBA_SESSION_TOKEN header=$GENBA_HEADER"\nexit 7\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"{folder / 'bin'}:{os.environ['PATH']}"


async def test_without_stdio_the_users_ssh_is_run_and_its_code_is_ours(tmp_path: Path) -> None:
    authority = make_host_authority()
    async with running_cli_gateway(ssh_config=make_ssh_config(host_certificate_authority=authority)) as gateway:
        add_workspace(gateway, owner="ann")
        env = {"PATH": await fake_ssh(tmp_path), "GENBA_URL": gateway.url}
        flags = ("--token", gateway.token, "--header", "X-Team=a,b", "-e", "A=b c", "-A", "-R", "1:h:2", "--wait=yes")
        done = await run_genba("ssh", *flags, "ann/dev", "--", "ls", "-la", folder=tmp_path, env=env)
    words = done.out.splitlines()
    assert done.code == 7
    assert words[-4:-1] == ["genba.ann--dev", "ls", "-la"]
    assert "-A" in words
    assert 'SetEnv="A=b c"' in words
    assert any(
        re.fullmatch(r"ProxyCommand=.* ssh --stdio --wait=yes --ssh-host-prefix genba\. %h", one) for one in words
    )
    assert "HostKeyAlias=genba.ann--dev" in words
    # Not in the process list, where others read it.
    assert words[-1] == f'token={gateway.token} header="X-Team=a,b"'
    assert (tmp_path / ".config" / "genba" / "known_hosts").read_text() == f"@cert-authority genba.* {authority}\n"


async def test_gpg_is_prepared_in_the_workspace_and_then_forwarded_with_the_session(tmp_path: Path) -> None:
    """Fake programs: ssh answers as the workspace's gpg would, and says how it was called."""
    path = await fake_ssh(tmp_path)
    programs = {
        "gpg": "echo public-$2-$3-$4",
        "gpgconf": '[ "$1" = --launch ] || echo /run/ann/S.gpg-agent.extra',
        "ssh": f"""case $* in
*gpgconf*) printf '%s\\n' "$@" >{tmp_path}/prepared; cat >{tmp_path}/keyring; echo Welcome; echo /home/x/S.gpg-agent;;
*) printf '%s\\n' "$@"; exit 7;;
esac""",
    }
    for name, script in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o700)
    authority = make_host_authority()
    async with running_cli_gateway(ssh_config=make_ssh_config(host_certificate_authority=authority)) as gateway:
        add_workspace(gateway)
        flags = ("-G", "-A", "-R", "1:h:2", "-e", "GNUPGHOME=/gnupg")
        done = await run_genba("ssh", *flags, "dev", "--", "true", folder=tmp_path, env=session(gateway, PATH=path))
    assert done.code == 7, done.err
    words = done.out.splitlines()
    assert [words[at + 1] for at, word in enumerate(words) if word == "-R"] == [
        "1:h:2",
        "/home/x/S.gpg-agent:/run/ann/S.gpg-agent.extra",
    ]
    assert words[-2:] == ["genba.dev", "true"]
    prepared = (tmp_path / "prepared").read_text()
    assert "SetEnv=GNUPGHOME=/gnupg" in prepared
    # What is forwarded is forwarded once.
    assert "-R\n" not in prepared
    assert "-A\n" not in prepared
    keyring = (tmp_path / "keyring").read_text()
    assert keyring == ("public---no-tty---armor---export\n\nownertrust public---no-tty---export-ownertrust-\n")


@pytest.mark.parametrize("authority", [None, ""])
async def test_a_gateway_without_an_authority_for_host_keys_is_not_trusted(
    tmp_path: Path, authority: str | None
) -> None:
    facts = None if authority is None else make_ssh_config(host_certificate_authority=authority)
    async with running_cli_gateway(ssh_config=facts) as gateway:
        env = session(gateway, PATH=await fake_ssh(tmp_path))
        done = await run_genba("ssh", "dev", folder=tmp_path, env=env)
    assert (done.code, done.out) == (1, "")
    assert "certifies no host keys" in done.err
    assert "`genba terminal`" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--stdio", "dev", "ls"), "runs no command"),
        (("-e", "SECRET", "dev"), "number 1 of 1 is not"),
        (("a/b/c",), "does not name a workspace"),
        (("--wait=maybe", "dev"), "'maybe' is not one of"),
    ],
)
async def test_wrong_usage_is_told(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    env = {"GENBA_URL": "http://127.0.0.1:9", "GENBA_SESSION_TOKEN": "x"}
    done = await run_genba("ssh", *arguments, folder=tmp_path, env=env)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "SECRET" not in done.err


async def test_a_gateway_that_lies_about_the_users_name_is_not_handed_on_to_ssh(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        add_workspace(gateway, owner="al\nProxyCommand=x")
        done = await run_genba("ssh", "dev", folder=tmp_path, env=session(gateway, PATH=await fake_ssh(tmp_path)))
    assert (done.code, done.out) == (1, "")
    assert "'al\\nProxyCommand=x' can't be the name of a user" in done.err


async def test_a_workspace_that_is_not_there_is_told_before_ssh_is_started(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba("ssh", "dev", folder=tmp_path, env=session(gateway, PATH=await fake_ssh(tmp_path)))
    assert (done.code, done.out) == (1, "")
    assert 'There is no workspace "dev"' in done.err
