"""`genba templates versions`."""

from __future__ import annotations

from pathlib import Path

from tests.support.cli_builders import TEMPLATE_ID, make_version
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import genba_on_terminal, run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_a_version_is_promoted_by_its_name(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        flags = ("templates", "versions", "promote", "-t", "host", "--template-version")
        done = await run_genba(*flags, "one", folder=tmp_path, env=session(gateway))
        assert (done.code, done.out) == (0, "Version one of host is active.\n")
        assert gateway.requests_of("PATCH", f"/templates/{TEMPLATE_ID}/versions")[0].json() == {"id": make_version().id}
        absent = await run_genba(*flags, "two", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err.splitlines()[0]) == (1, 'error: host has no version "two".')


async def test_versions_are_archived_and_brought_back_by_name(tmp_path: Path) -> None:
    two = make_version(id="66666666-6666-4666-8666-666666666666", name="two")
    async with running_cli_gateway() as gateway:
        gateway.versions[two.id] = two
        flags = ("templates", "versions")
        done = await run_genba(*flags, "archive", "host", "two", "-y", folder=tmp_path, env=session(gateway))
        assert (done.code, done.out, done.err) == (0, "Version two of host was archived.\n", "")
        assert gateway.versions[two.id].archived
        back = await run_genba(*flags, "unarchive", "host", "two", "-y", folder=tmp_path, env=session(gateway))
        assert (back.code, back.out) == (0, "Version two of host was unarchived.\n")
        assert not gateway.versions[two.id].archived
        absent = await run_genba(*flags, "archive", "host", "two", "no", "-y", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err.splitlines()[0]) == (1, 'error: host has no version "no".')
        assert not gateway.versions[two.id].archived
        unasked = await run_genba(*flags, "archive", "host", "two", folder=tmp_path, env=session(gateway))
        assert (unasked.code, "--yes" in unasked.err) == (2, True)


async def test_without_a_name_a_version_that_is_not_active_is_chosen(tmp_path: Path) -> None:
    two = make_version(id="66666666-6666-4666-8666-666666666666", name="two", message="second try")
    async with running_cli_gateway() as gateway:
        gateway.versions[two.id] = two
        archive = ("templates", "versions", "archive", "host")
        async with genba_on_terminal(*archive, folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("1) two  second try")
            terminal.type("1\n")
            await terminal.see("Archive two of host? [y/N]")
            terminal.type("y\n")
            assert await terminal.end() == 0
        assert gateway.versions[two.id].archived
        none_left = await run_genba(*archive, "--force-tty", folder=tmp_path, env=session(gateway))
        assert none_left.err == "error: host has no version to archive.\n"


async def test_without_a_name_and_a_terminal_the_same_command_is_told_with_one(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        for verb in ("archive", "unarchive"):
            done = await run_genba("templates", "versions", verb, "host", folder=tmp_path, env=session(gateway))
            assert (done.code, f"genba templates versions {verb} TEMPLATE VERSION" in done.err) == (2, True)
