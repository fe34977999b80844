"""Removes what is left of a host workspace: its processes and its folder."""

from __future__ import annotations

import asyncio
from pathlib import Path

from genba_gateway.provider.genba.folders import WorkspaceFolder
from genba_gateway.provider.genba.processes import end_marked


async def clear_workspace(root: Path, workspace_id: str) -> None:
    """End all processes of a workspace and remove its folder; does nothing when there is none.

    Raises:
        OSError: something can't be removed, or a process can't be ended.
        ValueError: the id can't be a workspace's.
    """
    await clear_folder(await asyncio.to_thread(WorkspaceFolder.below, root, workspace_id))


async def clear_folder(folder: WorkspaceFolder) -> None:
    """End all processes of a workspace's folder and remove it.

    Raises:
        OSError: something can't be removed, or a process can't be ended.
    """
    await end_processes(folder)
    await asyncio.to_thread(folder.remove)


async def end_processes(folder: WorkspaceFolder) -> None:
    """End all processes of a workspace's folder.

    Raises:
        OSError: a process can't be ended.
    """
    survivors = await asyncio.to_thread(end_marked, folder.path)
    if survivors:
        raise OSError(f"processes {', '.join(map(str, survivors))} of {folder.path} can't be ended")
