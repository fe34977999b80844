"""The page of the deployment's settings and its use, for its owners."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import current_user, needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.deployment_config import DeploymentSettings
from genba_gateway.services.deployment_stats import DeploymentUsage
from genba_gateway.web.languages import mark, translate
from genba_gateway.web.pages import Pages
from genba_wire.api.deployment import DeploymentOption, DeploymentStats
from genba_wire.version import VERSION

_WORKSPACES: Final = {
    "running": mark("Running"),
    "building": mark("Building"),
    "pending": mark("Waiting"),
    "stopped": mark("Stopped"),
    "failed": mark("Failed"),
}
_SESSIONS: Final = {
    "vscode": "VS Code",
    "jetbrains": "JetBrains",
    "ssh": "SSH",
    "reconnecting_pty": mark("Web terminal"),
}


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting."""

    flag: str
    variable: str
    value: str
    default: str
    is_secret: bool

    @property
    def is_changed(self) -> bool:
        """Whether somebody set it; of a secret that is not told."""
        return not self.is_secret and self.value != self.default


def make_blueprint(pages: Pages, settings: DeploymentSettings, usage: DeploymentUsage) -> Blueprint:
    """/deployment."""
    blueprint = pages.blueprint("deployment")

    @blueprint.get("/deployment")
    @needs(RouteAccess.SIGNED_IN)
    async def show_deployment() -> Response:
        config = settings.get(current_user())
        workspaces, sessions = count_use(await usage.get())
        return pages.show(
            "deployment/deployment.html",
            version=VERSION,
            settings=[view_setting(option) for option in config.options],
            workspaces=workspaces,
            sessions=sessions,
        )

    return blueprint


def view_setting(option: DeploymentOption) -> SettingView:
    """Show a setting by the names by which it is set."""
    return SettingView(
        flag=f"--{option.flag}",
        variable=option.env,
        value=str(option.value),
        default=str(option.default),
        is_secret=option.annotations.get("secret") == "true",
    )


def count_use(stats: DeploymentStats) -> tuple[dict[str, int], dict[str, int]]:
    """Workspaces by their states, and sessions by their kinds, in words."""
    return (
        {translate(label): getattr(stats.workspaces, field) for field, label in _WORKSPACES.items()},
        {translate(label): getattr(stats.session_count, field) for field, label in _SESSIONS.items()},
    )
