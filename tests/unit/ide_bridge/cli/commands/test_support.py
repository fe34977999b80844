"""`genba support bundle`: all that helps, and nothing secret."""

from __future__ import annotations

import json
import os
import stat
import zipfile
from pathlib import Path

import pytest

from genba_wire.api.workspaces import BuildParameter
from tests.support.cli_builders import make_agent, make_build, make_resource, make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import Finished, run_genba

SECRETS = {
    "environment": "s3cr3t-of-the-environment",
    "agent": "s3cr3t-of-the-agents-environment",
    "header": "s3cr3t-of-a-header",
    "cookie": "s3cr3t-of-a-cookie",
    "parameter": "s3cr3t-of-a-parameter",
    "password": "s3cr3t-of-a-log",
    "key": "c2VjcmV0LWtleS1tYXRlcmlhbA",
    "stored": "kkkkkkkkkk-ssssssssssssssssssssss",
    "token": TOKEN,
}


async def make_bundle(gateway: CliGateway, tmp_path: Path, *arguments: str) -> Finished:
    return await run_genba(
        *("support", "bundle", "alice/dev", *arguments),
        *("--header", f"Authorization=Bearer {SECRETS['header']}"),
        folder=tmp_path,
        env={
            "CODER_URL": gateway.url,
            "CODER_SESSION_TOKEN": TOKEN,
            "DB_PASSWORD": SECRETS["environment"],
            "LANG": "C.UTF-8",
            "MY_NOTE": "nobodys business",
        },
    )


def add_workspace(gateway: CliGateway, home: Path) -> None:
    agent = make_agent(environment_variables={"NOTE": SECRETS["agent"]})
    build = make_build(resources=[make_resource([agent])])
    gateway.add_workspace(make_workspace(latest_build=build))
    gateway.build_parameters[build.id] = [BuildParameter(name="database", value=SECRETS["parameter"])]
    gateway.say(build.id, f"Set-Cookie: a={SECRETS['cookie']}")
    gateway.say(build.id, f"{home}/secret-project was read with {SECRETS['environment']}")
    for line in (
        f"password: {SECRETS['password']}",
        f"using {SECRETS['header']} and {SECRETS['stored']} and {TOKEN}",
        "-----BEGIN OPENSSH PRIVATE KEY-----",
        SECRETS["key"],
        "-----END OPENSSH PRIVATE KEY-----",
        "ready to work",
    ):
        gateway.say_as_agent(agent.id, line)


async def test_the_bundle_helps_and_holds_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "a folder" / "bundle.zip"
    path.parent.mkdir()
    config = tmp_path / ".config" / "genba"
    config.mkdir(parents=True)
    (config / "session").write_text(SECRETS["stored"])
    async with running_cli_gateway() as gateway:
        add_workspace(gateway, tmp_path)
        done = await make_bundle(gateway, tmp_path, "--output-file", str(path), "--yes")
    assert (done.code, done.err) == (0, "")
    assert done.out == f"Wrote {path}. Look through its logs before you give it away.\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    assert sorted(files) == [
        "README.txt",
        "agents/main/agent.json",
        "agents/main/log.txt",
        "client/environment.txt",
        "client/versions.json",
        "deployment/buildinfo.json",
        "deployment/ssh.json",
        "deployment/user.json",
        "errors.txt",
        "workspace/build_log.txt",
        "workspace/builds.json",
        "workspace/parameters.json",
        "workspace/workspace.json",
    ]
    everything = "\n".join(files.values())
    assert [name for name, secret in SECRETS.items() if secret in everything] == []
    assert "nobodys business" not in everything
    assert str(tmp_path) not in everything
    assert "~/secret-project was read" in files["workspace/build_log.txt"]
    assert "ready to work" in files["agents/main/log.txt"]
    assert "LANG=C.UTF-8\n" in files["client/environment.txt"]
    assert "DB_PASSWORD=[redacted]\n" in files["client/environment.txt"]
    assert json.loads(files["workspace/parameters.json"]) == ["database"]
    assert json.loads(files["workspace/workspace.json"])["name"] == "dev"
    assert files["errors.txt"] == ""


async def test_what_cannot_be_had_is_named(tmp_path: Path) -> None:
    async with running_cli_gateway(ssh_config=None) as gateway:
        add_workspace(gateway, tmp_path)
        done = await make_bundle(gateway, tmp_path, "-O", "bundle.zip", "-y")
    assert done.code == 0
    assert done.err == "warning: not in the bundle: deployment/ssh.json: Not found.\n"
    with zipfile.ZipFile(tmp_path / "bundle.zip") as archive:
        assert archive.read("errors.txt") == b"deployment/ssh.json: Not found.\n"
        assert "deployment/ssh.json" not in archive.namelist()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "--yes"),
        (("nobody", "-y"), 1, 'no agent "nobody"'),
        (("-y", "-O", "none/bundle.zip"), 1, "Can't write none/bundle.zip"),
    ],
)
async def test_what_does_not_work_leaves_nothing(
    tmp_path: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    async with running_cli_gateway() as gateway:
        add_workspace(gateway, tmp_path)
        done = await make_bundle(gateway, tmp_path, *arguments)
    assert done.code == code
    assert words in done.err
    assert os.listdir(tmp_path) == []


async def test_the_gateway_can_be_asked_at_another_address(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        add_workspace(gateway, tmp_path)
        done = await run_genba(
            *("support", "bundle", "dev", "-y", "-O", "bundle.zip", "--url-override", gateway.url),
            folder=tmp_path,
            env={"CODER_URL": "http://gateway.invalid", "CODER_SESSION_TOKEN": TOKEN},
        )
        assert done.code == 0
