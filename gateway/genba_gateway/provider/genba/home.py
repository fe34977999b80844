"""`genba_host_home`: a host workspace's folder for the user's files, kept from start to start."""

from __future__ import annotations

import asyncio
from pathlib import Path

from genba_gateway.provider.context import Session
from genba_gateway.provider.genba.folders import WorkspaceFolder
from genba_gateway.provider.genba.leftovers import clear_folder, end_processes
from genba_gateway.provider.genba.permission import find_folder
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provider.problems import Problem, Refused
from genba_gateway.provider.schema import Attribute, Block, DeclaredResource, Mode, Schema, computed_id
from genba_gateway.provider.values import Fields, Object, Primitive

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("workspace_id", mode=Mode.REQUIRED, description="data.coder_workspace.me.id"),
            Attribute(
                "running",
                Primitive.BOOL,
                updates_in_place=True,
                description="Whether the workspace is to run. When it turns false, processes that are left over end.",
            ),
            Attribute("path", mode=Mode.COMPUTED, description="The folder."),
        ),
        description="A folder on the gateway's machine that lives as long as its workspace.",
    ),
)


class HostHome(DeclaredResource):
    """The folder; removing it ends every process of the workspace and removes its logs as well."""

    name = "genba_host_home"
    schema = SCHEMA

    def __init__(self, hosts: HostWorkspaces | None) -> None:
        self._hosts = hosts

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make the folder; one that is there, of a build that was killed, is taken over."""
        workspace_id = planned.text("workspace_id")
        _, folder = await asyncio.to_thread(find_folder, self._hosts, session, workspace_id)
        try:
            await asyncio.to_thread(_make_home, folder)
        except OSError as error:
            detail = f"{error}. Make room or give the gateway's user the right to write there."
            raise Refused(Problem(f"The home folder of workspace {workspace_id} can't be made", detail)) from error
        return {"id": workspace_id, "path": str(folder.home)}

    async def update(self, session: Session, prior: Fields, planned: Fields) -> Object:
        """End what is left over when the workspace stops."""
        del session
        if not planned.flag("running"):
            try:
                await end_processes(_folder_of(prior))
            except OSError as error:
                raise Refused(
                    Problem("The workspace's processes can't be ended", f"{error}. End them by hand.")
                ) from error
        return {}

    async def delete(self, session: Session, state: Fields) -> None:
        """Remove everything that the workspace has on this machine."""
        del session
        folder = _folder_of(state)
        try:
            await clear_folder(folder)
        except OSError as error:
            detail = f"{error}. Remove it by hand, or make that possible; then delete the workspace again."
            raise Refused(Problem(f"The workspace's folder {folder.path} can't be removed", detail)) from error


def _folder_of(state: Fields) -> WorkspaceFolder:
    return WorkspaceFolder(Path(state.text("path")).parent)


def _make_home(folder: WorkspaceFolder) -> None:
    folder.make()
    folder.home.mkdir(mode=0o700, exist_ok=True)
