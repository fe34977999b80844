"""Installing modules and providers with the real Terraform: from addresses that never answer, and with broken files."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import ImportRequest
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.terraform import TerraformProvisioner
from genba_gateway.provisioner.terraform_binary import TerraformBinary, find_terraform
from genba_gateway.provisioner.terraform_commands import JobCanceled
from tests.support.provisioning import NoProvider, RecordedLog
from tests.support.template_archives import template_archive
from tests.support.waiting import eventually

CEILING_S = 60.0
LONG_S = 600.0
NEEDS_INIT = 'terraform {\n  backend "local" {}\n}\nresource "terraform_data" "x" {}\n'


@pytest.fixture
async def binary(tmp_path: Path) -> TerraformBinary:
    return await find_terraform(None, tmp_path / "bin", print)


@pytest.fixture
def silent() -> Generator[str]:
    """HOST:PORT of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


def make_provisioner(binary: TerraformBinary, tmp_path: Path, init_limit_s: float = LONG_S) -> TerraformProvisioner:
    return TerraformProvisioner(
        binary=binary,
        work_dir=tmp_path / "work",
        provider=NoProvider(),
        access_url="http://gateway.test",
        init_limit_s=init_limit_s,
    )


def module_of(address: str) -> str:
    return f'module "far" {{\n  source = "http://{address}/module.zip"\n}}\n'


def provider_of(address: str) -> str:
    return f'terraform {{\n  required_providers {{\n    far = {{ source = "{address}/far/far" }}\n  }}\n}}\n'


class ImportJob:
    """One import, and the means to end it."""

    def __init__(self, provisioner: TerraformProvisioner, name: str, text: str) -> None:
        self.log = RecordedLog()
        self.cancel = asyncio.Event()
        self._provisioner = provisioner
        self._request = ImportRequest(name, f"version-{name}", template_archive({"main.tf": text}))

    async def run(self) -> None:
        await self._provisioner.import_version(self._request, self.log, self.cancel)

    async def run_to_its_cancel(self) -> None:
        with pytest.raises(JobCanceled):
            await self.run()


async def test_a_module_that_never_comes_holds_up_its_own_job_alone(
    binary: TerraformBinary, silent: str, tmp_path: Path
) -> None:
    provisioner = make_provisioner(binary, tmp_path)
    stuck = ImportJob(provisioner, "stuck", module_of(silent))
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(stuck.run_to_its_cancel())
        await eventually(lambda: "Downloading" in stuck.log.text)
        await ImportJob(provisioner, "other", NEEDS_INIT).run()
        stuck.cancel.set()


async def test_a_job_that_waits_for_anothers_providers_can_be_canceled(
    binary: TerraformBinary, silent: str, tmp_path: Path
) -> None:
    provisioner = make_provisioner(binary, tmp_path)
    stuck = ImportJob(provisioner, "stuck", provider_of(silent))
    waiting = ImportJob(provisioner, "waiting", NEEDS_INIT)
    async with asyncio.timeout(CEILING_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(stuck.run_to_its_cancel())
        await eventually(lambda: "Finding latest version" in stuck.log.text)
        tasks.create_task(waiting.run_to_its_cancel())
        await eventually(lambda: "Waiting: another job is installing providers." in waiting.log.text)
        waiting.cancel.set()
        await eventually(lambda: "Cleaning Up" in {line.stage for line in waiting.log.lines})
        assert "Cleaning Up" not in {line.stage for line in stuck.log.lines}
        stuck.cancel.set()


@pytest.mark.parametrize(("command", "template"), [("get", module_of), ("init", provider_of)])
async def test_an_address_that_never_answers_is_given_up_with_the_name_of_the_limit(
    binary: TerraformBinary, silent: str, tmp_path: Path, command: str, template: Callable[[str], str]
) -> None:
    provisioner = make_provisioner(binary, tmp_path, init_limit_s=0.5)
    stuck = ImportJob(provisioner, "stuck", template(silent))
    async with asyncio.timeout(CEILING_S):
        with pytest.raises(ProvisionError, match=f"terraform {command} was ended after 0.5 s.*--init-limit-s"):
            await stuck.run()
    assert "--init-limit-s" in stuck.log.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'resource "terraform_data" "a" {\n  input = \n}\n',
            "Invalid expression (main.tf:2): Expected the start of an expression, but found an invalid expression",
        ),
        (
            'terraform {\n  required_version = ">= 99.0"\n}\nmodule "x" {\n  source = "./absent"\n}\n',
            "Unsupported Terraform Core version (main.tf:2): This configuration does not support Terraform version ",
        ),
    ],
)
async def test_a_template_that_does_not_parse_is_told_in_one_sentence_with_its_place(
    binary: TerraformBinary, tmp_path: Path, text: str, message: str
) -> None:
    async with asyncio.timeout(CEILING_S):
        with pytest.raises(ProvisionError) as caught:
            await ImportJob(make_provisioner(binary, tmp_path), "broken", text).run()
    assert caught.value.message.startswith(f"terraform get: {message}")
