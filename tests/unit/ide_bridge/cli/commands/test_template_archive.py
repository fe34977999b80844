"""`genba templates archive`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli_builders import make_build, make_job, make_version, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


def add_versions(gateway: CliGateway) -> None:
    for number, (name, status) in enumerate(
        [("bad", "failed"), ("old", "succeeded"), ("used", "succeeded"), ("importing", "running"), ("dead", "failed")]
    ):
        identifier = f"55555555-5555-4555-8555-55555555555{number}"
        gateway.versions[identifier] = make_version(
            id=identifier, name=name, job=make_job(status=status), archived=name == "dead"
        )
    used = make_build(template_version_id="55555555-5555-4555-8555-555555555552")
    gateway.add_workspace(make_workspace(latest_build=used))


@pytest.mark.parametrize(("flags", "names"), [((), ["bad"]), (("--all",), ["bad", "old"]), (("host",), ["bad"])])
async def test_versions_that_nobody_needs_are_archived(
    tmp_path: Path, flags: tuple[str, ...], names: list[str]
) -> None:
    async with running_cli_gateway() as gateway:
        add_versions(gateway)
        done = await run_genba("templates", "archive", *flags, "--yes", folder=tmp_path, env=session(gateway))
        assert (done.code, done.err) == (0, "")
        assert done.out == "".join(f"Version {name} of host was archived.\n" for name in names)
        assert [one.name for one in gateway.versions.values() if one.archived] == [*names, "dead"]
        again = await run_genba("templates", "archive", *flags, folder=tmp_path, env=session(gateway))
        assert (again.code, again.out) == (0, "There is no version to archive.\n")


async def test_it_asks_first_and_knows_its_templates(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        add_versions(gateway)
        asked = await run_genba("templates", "archive", folder=tmp_path, env=session(gateway))
        assert (asked.code, "--yes" in asked.err) == (2, True)
        absent = await run_genba("templates", "archive", "nope", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err.splitlines()[0]) == (1, 'error: There is no template "nope".')
        assert not [one for one in gateway.requests if one.method != "GET"]
