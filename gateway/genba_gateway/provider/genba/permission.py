"""Whether a build may use the gateway's machine, and which folder is its own."""

from __future__ import annotations

import sys

from genba_gateway.provider.context import Session
from genba_gateway.provider.genba.folders import WorkspaceFolder
from genba_gateway.provider.host_workspaces import HostWorkspaces
from genba_gateway.provider.problems import Problem, Refused


def find_folder(
    hosts: HostWorkspaces | None, session: Session, workspace_id: str
) -> tuple[HostWorkspaces, WorkspaceFolder]:
    """Give the folder of the workspace that is being built.

    Raises:
        Refused: the operator or the system doesn't allow it, or the template names another workspace.
    """
    if hosts is None:
        detail = (
            "This template runs workspaces on the gateway's own machine. The operator has to allow that: "
            "start the gateway with --allow-host-workspaces."
        )
        raise Refused(Problem("Workspaces on the gateway's machine are not allowed", detail))
    if sys.platform != "linux":
        raise Refused(Problem("Workspaces on the gateway's machine need Linux", "Use another template."))
    if workspace_id != session.variable("CODER_WORKSPACE_ID"):
        detail = "The template names another workspace than the one that is built. Use data.coder_workspace.me.id."
        raise Refused(Problem("workspace_id is not this workspace's", detail, ("workspace_id",)))
    try:
        return hosts, WorkspaceFolder.below(hosts.root, workspace_id)
    except ValueError as error:
        raise Refused(Problem("workspace_id is no id", f"{error}.", ("workspace_id",))) from error
