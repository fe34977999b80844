"""`genba config-ssh`, as a user calls it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.cli_builders import make_host_authority, make_ssh_config, make_user
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import Finished, genba_on_terminal, run_genba

BINARY = ("--coder-binary-path", "/opt/my tools/genba")


async def config_ssh(tmp_path: Path, gateway: CliGateway, *arguments: str) -> Finished:
    return await run_genba(
        "config-ssh", *BINARY, *arguments, folder=tmp_path, env={"CODER_URL": gateway.url, "CODER_SESSION_TOKEN": TOKEN}
    )


def config_of(home: Path) -> Path:
    return home / ".ssh" / "config"


def own_of(home: Path) -> Path:
    return home / ".config" / "genba" / "ssh_config"


def ask(home: Path, host: str) -> dict[str, str]:
    command = ["ssh", "-F", str(config_of(home)), "-G", host]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return {key: value for key, _, value in (line.partition(" ") for line in lines)}


async def test_ssh_is_led_to_workspaces_and_back(tmp_path: Path) -> None:
    async with running_cli_gateway(ssh_config=make_ssh_config(ssh_config_options={"SetEnv": "A=b"})) as gateway:
        done = await config_ssh(tmp_path, gateway, "--yes", "-o", "ForwardAgent=yes")
        assert (done.code, done.err) == (0, "")
        assert f"+Include {own_of(tmp_path)}\n" in done.out
        assert done.out.endswith("\n`ssh genba.WORKSPACE` opens a shell in a workspace; `genba list` shows yours.\n")
        assert config_of(tmp_path).read_text() == f"Include {own_of(tmp_path)}\n"
        known_hosts = tmp_path / ".config" / "genba" / "known_hosts"
        assert known_hosts.read_text() == f"@cert-authority genba.*,*.genba,*.genba._of.* {make_host_authority()}\n"
        found = ask(tmp_path, "genba.al--dev.main")
        assert found["proxycommand"] == (
            f'"/opt/my tools/genba" --global-config {tmp_path}/.config/genba ssh --stdio --ssh-host-prefix genba. %h'
        )
        assert found["userknownhostsfile"] == str(known_hosts)
        assert (found["stricthostkeychecking"], found["forwardagent"], found["setenv"]) == ("true", "yes", "A=b")
        for host, looked_for in (
            ("genba.dev", "genba.dev._of.alice"),
            ("genba.dev.main", "genba.dev.main._of.alice"),
            ("genba.al--dev", "genba.al--dev"),
            ("dev.genba", "dev.genba._of.alice"),
            ("main.dev.genba", "main.dev.genba._of.alice"),
            ("main.dev.al.genba", "main.dev.al.genba"),
        ):
            assert ask(tmp_path, host)["hostname"] == looked_for
        assert "--hostname-suffix genba %h" in ask(tmp_path, "dev.genba")["proxycommand"]

        again = await config_ssh(tmp_path, gateway, "--use-previous-options")
        assert (again.code, again.out.splitlines()) == (
            0,
            ["All is as it should be: `ssh genba.WORKSPACE` opens a shell in a workspace."],
        )
    gone = await run_genba("config-ssh", "--remove", "--yes", folder=tmp_path)
    assert (gone.code, gone.err) == (0, "")
    assert not config_of(tmp_path).parent.exists()
    assert not own_of(tmp_path).exists()
    nothing = await run_genba("config-ssh", "--remove", folder=tmp_path)
    assert (nothing.code, nothing.out) == (0, "There is nothing of ours to remove.\n")


async def test_a_dry_run_shows_and_writes_nothing(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await config_ssh(tmp_path, gateway, "-n")
    assert done.code == 0
    assert "+Host genba.* !genba.*--*\n" in done.out
    assert os.listdir(tmp_path) == []


async def test_without_a_terminal_it_shows_and_asks_for_yes(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await config_ssh(tmp_path, gateway)
    assert done.code == 2
    assert "+Host genba.* !genba.*--*\n" in done.out
    assert "--yes" in done.err
    assert not config_of(tmp_path).exists()


async def test_a_no_changes_nothing(tmp_path: Path) -> None:
    async with (
        running_cli_gateway() as gateway,
        genba_on_terminal(
            "config-ssh", folder=tmp_path, env={"CODER_URL": gateway.url, "CODER_SESSION_TOKEN": TOKEN}
        ) as terminal,
    ):
        await terminal.see("Write this?")
        terminal.type("n\n")
        assert await terminal.end() == 130
    assert not config_of(tmp_path).exists()


async def test_what_the_environment_and_flags_choose_is_written(tmp_path: Path) -> None:
    config = tmp_path / "elsewhere"
    async with running_cli_gateway() as gateway:
        done = await run_genba(
            *("config-ssh", "-y", "--wait", "no", "--disable-autostart", "--ssh-host-prefix", "w-"),
            *("--hostname-suffix", "", "--header-command", "echo 'A=b'", *BINARY),
            folder=tmp_path,
            env={"CODER_URL": gateway.url, "CODER_SESSION_TOKEN": TOKEN, "CODER_SSH_CONFIG_FILE": str(config),
                 "CODER_SSH_CONFIG_OPTS": "ForwardX11=yes,Compression=yes"},
        )  # fmt: skip
        assert done.code == 0
        assert done.err == (
            'warning: host keys are not certified for names with "w-": ssh will refuse them, until the gateway'
            " is started with --ssh-hostname-prefix w-. Ask who runs it.\n"
        )
    text = own_of(tmp_path).read_text()
    assert "ssh --stdio --disable-autostart --wait no --ssh-host-prefix w- %h\n" in text
    assert "--header-command \"echo 'A=b'\" ssh" in text
    assert "  Compression yes\n" in text
    assert config.read_text().startswith("Include ")
    assert not config_of(tmp_path).exists()
    gone = await run_genba("config-ssh", "--remove", "-y", folder=tmp_path)
    assert (gone.code, config.exists()) == (0, False)


async def test_a_broken_config_of_the_users_is_named_and_left(tmp_path: Path) -> None:
    config_of(tmp_path).parent.mkdir()
    config_of(tmp_path).write_bytes(b"Nonsense yes\n")
    async with running_cli_gateway() as gateway:
        done = await config_ssh(tmp_path, gateway, "--yes")
    assert done.code == 1
    assert "Bad configuration option: nonsense" in done.err
    assert config_of(tmp_path).read_bytes() == b"Nonsense yes\n"
    assert not own_of(tmp_path).exists()


@pytest.mark.parametrize("facts", [None, make_ssh_config(host_certificate_authority="")])
async def test_a_gateway_without_an_authority_is_refused(tmp_path: Path, facts: object) -> None:
    async with running_cli_gateway(ssh_config=facts) as gateway:
        done = await config_ssh(tmp_path, gateway, "--yes")
    assert done.code == 1
    assert "has no authority for the host keys" in done.err
    assert os.listdir(tmp_path) == []


async def test_options_of_a_gateway_that_run_programs_are_named_and_not_taken(tmp_path: Path) -> None:
    asked = make_ssh_config(ssh_config_options={"LocalCommand": "rm -r /", "StrictHostKeyChecking": "no"})
    async with running_cli_gateway(ssh_config=asked) as gateway:
        done = await config_ssh(tmp_path, gateway, "--yes")
    assert done.code == 0
    assert "not taken: LocalCommand, 'StrictHostKeyChecking'" in done.err
    assert "LocalCommand" not in own_of(tmp_path).read_text()


@pytest.mark.parametrize("arguments", [("-o", "StrictHostKeyChecking=no"), ("-o", "x"), ("--ssh-host-prefix", "*")])
async def test_what_cannot_be_is_refused_before_anything(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    async with running_cli_gateway() as gateway:
        done = await config_ssh(tmp_path, gateway, "--yes", *arguments)
        assert done.code == 1
        assert gateway.requests == []
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("arguments", [("--yes",), ("--dry-run",)])
async def test_a_gateway_that_lies_about_the_users_name_runs_nothing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    liar = make_user(username=f'alice\nmatch exec "touch {tmp_path}/run"\nhost *')
    async with running_cli_gateway(user=liar) as gateway:
        done = await config_ssh(tmp_path, gateway, *arguments)
    assert (done.code, done.out) == (1, "")
    assert "can't be the name of a user" in done.err
    assert os.listdir(tmp_path) == []


async def test_nothing_of_what_would_be_written_is_obeyed_by_the_terminal(tmp_path: Path) -> None:
    asked = make_ssh_config(ssh_config_options={"SetEnv": "A=\x9b2J\u202eb"})
    async with running_cli_gateway(ssh_config=asked) as gateway:
        done = await config_ssh(tmp_path, gateway, "--dry-run")
    assert done.code == 0
    assert "+  SetEnv A=\\x9b2J\\u202eb\n" in done.out


@pytest.mark.parametrize(
    ("prefix", "suffix", "said"),
    [
        ("dev.", "genba", ["--ssh-hostname-prefix dev."]),
        ("dev--", "work", ["--ssh-hostname-prefix dev--", "--ssh-hostname-suffix work"]),
        ("Own.", "OURS", []),
        ("Coder.", "coder", []),
    ],
)
async def test_names_that_no_host_key_is_certified_for_are_told_with_the_remedy(
    tmp_path: Path, prefix: str, suffix: str, said: list[str]
) -> None:
    facts = make_ssh_config(hostname_prefix="own.", hostname_suffix="Ours")
    async with running_cli_gateway(ssh_config=facts) as gateway:
        done = await config_ssh(
            tmp_path, gateway, "--dry-run", "--ssh-host-prefix", prefix, "--hostname-suffix", suffix
        )
    warnings = done.err.splitlines()
    assert len(warnings) == len(said)
    for warning, remedy in zip(warnings, said, strict=True):
        assert "ssh will refuse them" in warning
        assert remedy in warning
