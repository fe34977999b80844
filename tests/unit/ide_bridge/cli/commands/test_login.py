"""Signing in, out, and looking who is signed in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.support.cli_gateway import FRESH_KEY, TOKEN, running_cli_gateway
from tests.support.cli_process import genba_on_terminal, run_genba


def stored(folder: Path) -> tuple[str, str]:
    return (folder / "url").read_text(), (folder / "session").read_text()


async def test_an_editor_keeps_the_token_it_gives_without_a_question(tmp_path: Path) -> None:
    config = tmp_path / "deep" / "config"
    folder_flag = ("--global-config", str(config))
    async with running_cli_gateway() as gateway:
        done = await run_genba(
            *folder_flag, "login", "--use-token-as-session", gateway.url, "--disable-direct-connections",
            folder=tmp_path, env={"CODER_SESSION_TOKEN": TOKEN},
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        assert stored(config) == (gateway.url, TOKEN)
        assert stat.S_IMODE(config.stat().st_mode) == 0o700
        assert {stat.S_IMODE((config / name).stat().st_mode) for name in ("url", "session")} == {0o600}
        assert not gateway.requests_of("POST", "/users/me/keys")

        printed = await run_genba(
            "--global-config", str(config), "login", "token", "--url", gateway.url, folder=tmp_path
        )
        assert (printed.code, printed.out) == (0, TOKEN + "\n")
        other = await run_genba(
            "--global-config", str(config), "login", "token", "--url", "http://x.test", folder=tmp_path
        )
        assert (other.code, other.out) == (1, "")


@pytest.mark.parametrize("token", ["", "wrong-token"])
async def test_an_editor_learns_that_its_token_is_not_taken(tmp_path: Path, token: str) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba(
            "login", "--use-token-as-session", gateway.url, folder=tmp_path, env={"CODER_SESSION_TOKEN": token}
        )
        assert done.code == 1
        assert done.err == (
            f"error: You are not signed in to {gateway.url}: The session is not valid.\n"
            f"Run `genba login {gateway.url}`.\n"
        )
        assert not (tmp_path / ".config").exists()


async def test_a_token_is_exchanged_for_a_key_of_this_machine(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba("login", gateway.url, "--token", TOKEN, folder=tmp_path)
        assert (done.code, done.out) == (0, f"Signed in to {gateway.url} as alice.\n")
        assert stored(tmp_path / ".config" / "genba") == (gateway.url, FRESH_KEY)
        me = await run_genba("whoami", folder=tmp_path)
        assert me.out == f"alice (alice@example.com) at {gateway.url}, roles: owner\n"
        raw = await run_genba("whoami", "-o", "json", folder=tmp_path)
        assert json.loads(raw.out)["future"] == 7


async def test_the_first_user_is_made_from_flags(tmp_path: Path) -> None:
    async with running_cli_gateway(user=None) as gateway:
        done = await run_genba(
            "login", gateway.url, "--first-user-username", "root", "--first-user-email", "r@x.test",
            "--first-user-trial", folder=tmp_path, env={"CODER_FIRST_USER_PASSWORD": "long enough"},
        )  # fmt: skip
        assert done.code == 0
        assert gateway.requests_of("POST", "/users/first")[0].json() == {
            "username": "root",
            "email": "r@x.test",
            "password": "long enough",
        }
        assert stored(tmp_path / ".config" / "genba") == (gateway.url, FRESH_KEY)


async def test_the_first_user_is_asked_for_on_a_terminal(tmp_path: Path) -> None:
    async with (
        running_cli_gateway(user=None) as gateway,
        genba_on_terminal("login", gateway.url, folder=tmp_path) as terminal,
    ):
        await terminal.see("Username")
        terminal.type("root\n")
        await terminal.see("E-mail")
        terminal.type("r@x.test\n")
        await terminal.see("Password")
        terminal.type("secret words\n")
        await terminal.see("Repeat for confirmation")
        terminal.type("secret words\n")
        await terminal.see("Signed in to")
        assert await terminal.end() == 0
        assert "secret words" not in terminal.screen
        assert gateway.requests_of("POST", "/users/first")[0].json()["password"] == "secret words"


async def test_a_token_is_read_from_a_terminal_without_showing_it(tmp_path: Path) -> None:
    async with (
        running_cli_gateway() as gateway,
        genba_on_terminal("login", gateway.url, folder=tmp_path) as terminal,
    ):
        await terminal.see(f"{gateway.url}/cli-auth")
        await terminal.see("Token")
        terminal.type(TOKEN + "\n")
        await terminal.see("Signed in to")
        assert await terminal.end() == 0
        assert TOKEN not in terminal.screen


async def test_without_a_terminal_the_flag_is_named(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        done = await run_genba("login", gateway.url, folder=tmp_path)
        assert done.code == 2
        assert "--token" in done.err
        assert f"{gateway.url}/cli-auth" in done.err
        new = await run_genba("login", folder=tmp_path)
        assert (new.code, "genba login URL" in new.err) == (2, True)


async def test_signing_out_ends_the_session_and_can_be_repeated(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        await run_genba("login", gateway.url, "--token", TOKEN, folder=tmp_path)
        asked = await run_genba("logout", folder=tmp_path)
        assert (asked.code, "--yes" in asked.err) == (2, True)
        done = await run_genba("logout", "--url", gateway.url, "--yes", folder=tmp_path)
        assert (done.code, done.err) == (0, "")
        assert len(gateway.requests_of("POST", "/users/logout")) == 1
        assert list((tmp_path / ".config" / "genba").iterdir()) == []
        again = await run_genba("logout", "-y", folder=tmp_path)
        assert (again.code, again.out) == (0, "You were not signed in.\n")


async def test_signing_out_forgets_the_session_even_when_the_gateway_is_away(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        await run_genba("login", gateway.url, "--token", TOKEN, folder=tmp_path)
        await gateway.stop()
        done = await run_genba("logout", "-y", folder=tmp_path)
        assert done.code == 0
        assert "stays valid" in done.err
        assert not (tmp_path / ".config" / "genba" / "session").exists()
