"""`genba templates` and what is below it."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

from genba_wire.api.templates import TemplateVersionVariable
from tests.support.cli_builders import TEMPLATE_ID, make_job, make_organization, make_version
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import genba_on_terminal, run_genba, running_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


def write_template(folder: Path) -> Path:
    folder.mkdir()
    (folder / "main.tf").write_text('resource "terraform_data" "x" {}\n')
    return folder


def variable(name: str, *, sensitive: bool = False) -> TemplateVersionVariable:
    return TemplateVersionVariable(
        name=name, description="", type="string", value="", default_value="", required=True, sensitive=sensitive
    )


async def test_pushing_a_new_template_follows_its_import_and_creates_it(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "my template_1")
    async with running_cli_gateway() as gateway:
        done = await run_genba(
            "templates", "push", "-d", str(folder), "-m", "first", "--name", "v1", "--var", "a=1",
            "--variable", "b=x=y", "--ignore-lockfile", "--yes", folder=tmp_path, env=session(gateway),
        )  # fmt: skip
        assert (done.code, done.err) == (0, "")
        assert done.out.splitlines() == [
            "==> Setting up",
            "Initializing Terraform",
            "Pushed version v1 of my-template-1 (active).",
            "Next: `genba create NAME --template my-template-1`.",
        ]
        upload = gateway.requests_of("POST", "/files")[0]
        assert upload.headers["Content-Type"] == "application/x-tar"
        with tarfile.open(fileobj=io.BytesIO(upload.body)) as tar:
            assert tar.getnames() == ["main.tf"]
        sent = gateway.requests_of("POST", "/organizations/coder/templateversions")[0].json()
        assert sent["user_variable_values"] == [{"name": "a", "value": "1"}, {"name": "b", "value": "x=y"}]
        assert (sent["name"], sent["message"], sent["storage_method"]) == ("v1", "first", "file")
        created = gateway.requests_of("POST", "/organizations/coder/templates")[0].json()
        assert created["name"] == "my-template-1"
        assert created["template_version_id"] in gateway.versions


async def test_pushing_again_activates_the_version_unless_told_not_to(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "host")
    async with running_cli_gateway() as gateway:
        path = f"/templates/{TEMPLATE_ID}/versions"
        done = await run_genba(
            "templates", "push", "host", "--activate=false", cwd=folder, folder=tmp_path, env=session(gateway)
        )
        assert done.code == 0
        assert "versions promote -t host --template-version made-up" in done.out
        assert gateway.requests_of("PATCH", path) == []
        await run_genba("template", "push", cwd=folder, folder=tmp_path, env=session(gateway))
        assert [one.json()["id"] in gateway.versions for one in gateway.requests_of("PATCH", path)] == [True]
        assert (
            gateway.requests_of("POST", "/organizations/coder/templateversions")[0].json()["template_id"] == TEMPLATE_ID
        )


async def test_variables_without_a_value_are_named_without_a_terminal(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "host")
    async with running_cli_gateway(missing_variables={"region"}, variables=[variable("region")]) as gateway:
        done = await run_genba(
            "templates", "push", "--ignore-lockfile", cwd=folder, folder=tmp_path, env=session(gateway)
        )
        assert (done.code, done.err) == (
            1,
            "error: The template needs values for region.\nPass --variable region=VALUE.\n",
        )


async def test_variables_without_a_value_are_asked_for_on_a_terminal(tmp_path: Path) -> None:
    write_template(tmp_path / "host")
    variables = [variable("region"), variable("key", sensitive=True)]
    async with (
        running_cli_gateway(missing_variables={"region", "key"}, variables=variables) as gateway,
        genba_on_terminal("templates", "push", "-d", "host", folder=tmp_path, env=session(gateway)) as terminal,
    ):
        await terminal.see("region:")
        terminal.type("eu\n")
        await terminal.see("key:")
        terminal.type("hidden words\n")
        await terminal.see("Pushed version made-up of host (active).")
        assert await terminal.end() == 0
        assert "hidden words" not in terminal.screen
        assert len(gateway.requests_of("POST", "/files")) == 1
        sent = gateway.requests_of("POST", "/organizations/coder/templateversions")[1].json()
        assert sent["user_variable_values"] == [
            {"name": "region", "value": "eu"},
            {"name": "key", "value": "hidden words"},
        ]


async def test_a_failed_import_changes_nothing(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "host")
    async with running_cli_gateway(finishes_builds=False) as gateway:
        async with running_genba(
            "templates", "push", "-d", str(folder), folder=tmp_path, env=session(gateway)
        ) as genba:
            await gateway.wait_for(lambda: gateway.open_streams == 1)
            version = next(one for one in gateway.versions.values() if one.name == "made-up")
            gateway.versions[version.id] = make_version(id=version.id, job=make_job(status="failed", error="no syntax"))
            gateway.changed()
            assert await genba.process.wait() == 1
            await genba.wait_until(lambda: "error: The import failed: no syntax\n" in genba.err)
        assert not gateway.requests_of("PATCH", f"/templates/{TEMPLATE_ID}/versions")


async def test_lists_wrap_each_thing_for_clients_of_the_contract(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        listed = await run_genba("templates", "ls", "-o", "json", folder=tmp_path, env=session(gateway))
        assert [(one["Template"]["name"], one["Template"]["future"]) for one in json.loads(listed.out)] == [("host", 7)]
        versions = await run_genba(
            "templates", "versions", "list", "host", "-o", "json", folder=tmp_path, env=session(gateway)
        )
        assert [one["TemplateVersion"]["future"] for one in json.loads(versions.out)] == [7]
        table = await run_genba("templates", "list", "-c", "name,used by", folder=tmp_path, env=session(gateway))
        assert table.out == "NAME  USED BY\nhost  2 developers\n"
        table = await run_genba(
            "templates", "versions", "list", "host", "-c", "name,active", folder=tmp_path, env=session(gateway)
        )
        assert table.out == "NAME  ACTIVE\none   yes\n"


async def test_a_pulled_template_is_the_one_that_was_pushed(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "host")
    async with running_cli_gateway() as gateway:
        await run_genba("templates", "push", "-d", str(folder), folder=tmp_path, env=session(gateway))
        (file_id,) = gateway.files
        gateway.versions[make_version().id] = make_version(job=make_job(file_id=file_id))
        done = await run_genba("templates", "pull", "host", "copy", folder=tmp_path, env=session(gateway))
        assert (done.code, done.out, done.err) == (0, "Wrote 1 files of host, version one, to copy.\n", "")
        assert (tmp_path / "copy" / "main.tf").read_text() == (folder / "main.tf").read_text()
        again = await run_genba("templates", "pull", "host", "copy", folder=tmp_path, env=session(gateway))
        assert (again.code, "--yes" in again.err) == (2, True)


async def test_deleting_checks_all_names_before_it_deletes_any(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        absent = await run_genba("templates", "delete", "host", "nope", "-y", folder=tmp_path, env=session(gateway))
        assert absent.code == 1
        assert len(gateway.templates) == 1
        done = await run_genba("templates", "rm", "host", "-y", folder=tmp_path, env=session(gateway))
        assert (done.code, gateway.templates) == (0, [])


async def test_without_a_name_a_template_is_chosen_to_be_deleted(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        refused = await run_genba("templates", "delete", folder=tmp_path, env=session(gateway))
        assert (refused.code, "genba templates delete NAME" in refused.err) == (2, True)
        async with genba_on_terminal("templates", "delete", folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("1) host")
            terminal.type("1\n")
            await terminal.see("Delete host? [y/N]")
            terminal.type("y\n")
            assert await terminal.end() == 0
        assert gateway.templates == []


async def test_all_variables_are_asked_for_when_that_is_wished(tmp_path: Path) -> None:
    write_template(tmp_path / "host")
    known = TemplateVersionVariable(
        name="zone", description="", type="string", value="a", default_value="x", required=False, sensitive=False
    )
    push = ("templates", "push", "-d", "host", "--always-prompt", "--var", "region=eu")
    async with running_cli_gateway(variables=[variable("region"), known]) as gateway:
        refused = await run_genba(*push, folder=tmp_path, env=session(gateway))
        assert (refused.code, "--always-prompt" in refused.err) == (2, True)
        async with genba_on_terminal(*push, folder=tmp_path, env=session(gateway)) as terminal:
            await terminal.see("zone [a]")
            terminal.type("b\n")
            assert await terminal.end() == 0
        sent = gateway.requests_of("POST", "/organizations/coder/templateversions")[0].json()
        assert sent["user_variable_values"] == [{"name": "region", "value": "eu"}, {"name": "zone", "value": "b"}]


async def test_one_of_several_organizations_has_to_be_named(tmp_path: Path) -> None:
    folder = write_template(tmp_path / "host")
    organizations = [make_organization(), make_organization(id=make_version().id, name="other")]
    async with running_cli_gateway(organizations=organizations) as gateway:
        flags = ("templates", "push", "-d", str(folder))
        vague = await run_genba(*flags, folder=tmp_path, env=session(gateway))
        assert (vague.code, "coder, other with --org" in vague.err) == (2, True)
        done = await run_genba(*flags, folder=tmp_path, env=session(gateway) | {"CODER_ORGANIZATION": "other"})
        assert done.code == 0
        assert gateway.requests_of("POST", "/organizations/other/templateversions")
