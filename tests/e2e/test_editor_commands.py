"""What editors do with the command line before a session, against a real gateway and a workspace of this machine."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from tests.support.host_template import host_template, script
from tests.support.real_cli import RealCli
from tests.support.real_gateway import RealGateway

SECRET = "s3cr3t-of-a-script"


async def test_an_editor_signs_in_starts_updates_and_asks_for_help(short_dir: Path) -> None:
    async with RealGateway(short_dir / "gateway") as gateway:
        await gateway.sign_in()
        cli = RealCli(short_dir / "config", gateway)
        announce = script("announce", f"echo password={SECRET}; echo ready")
        template = await gateway.push_template("host", host_template(announce=announce))
        workspace = await gateway.create_workspace("dev", template["id"])
        await gateway.wait_for_agent(workspace["id"])
        name = f"{workspace['owner_name']}/dev"

        version = json.loads((await cli.run("version", "--output", "json")).out)["version"]
        assert version == (await gateway.fetch("GET", "/api/v2/buildinfo"))["version"]
        await cli.run("login", "--use-token-as-session", gateway.url)
        assert (await cli.run("login", "token", "--url", gateway.url)).out == f"{gateway.token}\n"

        bundle = short_dir / "bundle.zip"
        done = await cli.run("support", "bundle", name, "--output-file", str(bundle), "--yes")
        with zipfile.ZipFile(bundle) as archive:
            everything = "\n".join(archive.read(one).decode() for one in archive.namelist())
        assert "ready" in everything
        assert SECRET not in everything
        assert gateway.token not in everything
        assert "not in the bundle: workspace" not in done.err
        assert "not in the bundle: agents" not in done.err

        await cli.run("stop", "--yes", name)
        await cli.run("start", "--yes", "--reason", "vscode_connection", name)
        latest = (await gateway.fetch("GET", f"/api/v2/workspaces/{workspace['id']}"))["latest_build"]
        assert (latest["transition"], latest["reason"]) == ("start", "vscode_connection")
        assert (await cli.run("update", name)).code == 0
        link = (await cli.run("open", "vscode", name, "--generate-token", "--no-open")).out
        token = link.strip().rpartition("token=")[2]
        cli.environment["GENBA_SESSION_TOKEN"] = token
        assert (await cli.run("whoami")).code == 0
        await cli.run("delete", "--yes", name)
