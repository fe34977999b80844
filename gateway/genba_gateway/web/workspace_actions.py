"""What is done with chosen workspaces: started, stopped, updated, deleted, and builds canceled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from genba_gateway.domain.actors import UserActor
from genba_gateway.domain.workspaces import Workspace
from genba_gateway.errors import BadRequest, GenbaError
from genba_gateway.services.builds import Builds
from genba_gateway.services.visibility import parse_id
from genba_gateway.services.workspaces import Workspaces
from genba_gateway.web.error_texts import say_error
from genba_gateway.web.languages import mark, mark_number, translate, translate_number
from genba_wire.api.workspaces import CreateBuildRequest

MAX_CHOSEN: Final = 100
"""As many as one page lists."""


@dataclass(frozen=True, slots=True)
class WorkspaceAction:
    """One thing to do, and how it is spoken of."""

    name: str
    transition: str
    question: str
    """Asked before it is done; empty for what does no harm."""
    button: str
    done: tuple[str, str]
    """What is said of one workspace, and of several."""
    is_harmful: bool = False


ACTIONS: Final = {
    action.name: action
    for action in (
        WorkspaceAction(
            "start",
            "start",
            "",
            mark("Start"),
            mark_number("%(count)s workspace starts.", "%(count)s workspaces start."),
        ),
        WorkspaceAction(
            "stop",
            "stop",
            mark("Stop these workspaces? What runs in them ends; their files stay as the template says."),
            mark("Stop"),
            mark_number("%(count)s workspace stops.", "%(count)s workspaces stop."),
        ),
        WorkspaceAction(
            "update",
            "start",
            mark("Update these workspaces to their templates' active versions? Those that run are restarted."),
            mark("Update"),
            mark_number("%(count)s workspace is updated.", "%(count)s workspaces are updated."),
        ),
        WorkspaceAction(
            "delete",
            "delete",
            mark("Delete these workspaces, with everything in them? This can't be undone."),
            mark("Delete"),
            mark_number("%(count)s workspace is being deleted.", "%(count)s workspaces are being deleted."),
            is_harmful=True,
        ),
        WorkspaceAction(
            "cancel",
            "",
            "",
            mark("Cancel"),
            mark_number("%(count)s build is being canceled.", "%(count)s builds are being canceled."),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an action on several workspaces."""

    done: str
    """What was begun, in words; empty when nothing was."""
    problems: tuple[str, ...]


class WorkspaceActions:
    """Carries out an action on each workspace for itself: one that can't be does not hold up the others."""

    def __init__(self, workspaces: Workspaces, builds: Builds) -> None:
        self._workspaces = workspaces
        self._builds = builds

    async def find_chosen(self, actor: UserActor, ids: Sequence[str]) -> list[Workspace]:
        """The chosen workspaces.

        Raises:
            BadRequest: none or too many were chosen.
        """
        if not ids:
            raise BadRequest(translate("Choose a workspace first."))
        if len(ids) > MAX_CHOSEN:
            raise BadRequest(translate("Choose at most %(count)s workspaces at once.") % {"count": MAX_CHOSEN})
        return [await self._workspaces.get(actor, parse_id(each, "workspace")) for each in dict.fromkeys(ids)]

    async def carry_out(self, actor: UserActor, action: WorkspaceAction, chosen: Sequence[Workspace]) -> Outcome:
        """Begin the action on each."""
        problems: list[str] = []
        for workspace in chosen:
            try:
                await self._begin(actor, action, workspace)
            except GenbaError as error:
                problems.append(f"{workspace.owner_name}/{workspace.name}: {say_error(error.message)}")
        count = len(chosen) - len(problems)
        text = translate_number(*action.done, count) % {"count": count}
        return Outcome(text if count else "", tuple(problems))

    async def _begin(self, actor: UserActor, action: WorkspaceAction, workspace: Workspace) -> None:
        if action.name == "cancel":
            await self._builds.cancel(actor, workspace.latest_build.id)
            return
        version_id = workspace.template_active_version_id if action.name == "update" else ""
        wanted = CreateBuildRequest(transition=action.transition, template_version_id=version_id, reason="dashboard")
        await self._builds.create(actor, workspace.id, wanted)
