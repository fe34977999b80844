"""`genba state`."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

from tests.support.cli_builders import make_workspace
from tests.support.cli_gateway import TOKEN, CliGateway, running_cli_gateway
from tests.support.cli_process import run_genba


def session(gateway: CliGateway) -> dict[str, str]:
    return {"GENBA_URL": gateway.url, "GENBA_SESSION_TOKEN": TOKEN}


async def test_state_is_pulled_for_its_owner_only_and_pushed_whole(tmp_path: Path) -> None:
    async with running_cli_gateway() as gateway:
        workspace = gateway.add_workspace(make_workspace())
        shown = await run_genba("state", "pull", "dev", folder=tmp_path, env=session(gateway))
        assert shown.out.encode() == gateway.state
        kept = await run_genba("state", "pull", "dev", "state.json", folder=tmp_path, env=session(gateway))
        assert (kept.code, kept.out) == (0, "")
        assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == 0o600
        done = await run_genba("state", "push", "dev", "state.json", folder=tmp_path, env=session(gateway))
        assert done.code == 0
        sent = gateway.requests_of("POST", f"/workspaces/{workspace.id}/builds")[0].json()
        assert (sent["transition"], base64.b64decode(sent["state"])) == ("start", gateway.state)
        absent = await run_genba("state", "push", "dev", "nope.json", folder=tmp_path, env=session(gateway))
        assert (absent.code, absent.err) == (1, "error: nope.json: No such file or directory\n")
