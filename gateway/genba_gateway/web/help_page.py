"""The page that says how the command line, an editor and ssh are set up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from quart import Blueprint, Response

from genba_gateway.api.gate import needs
from genba_gateway.domain.actors import RouteAccess
from genba_gateway.services.executables import Executables
from genba_gateway.web.pages import Pages

_SYSTEMS: Final = {
    "genba-linux-amd64": "Linux (x86-64)",
    "genba-linux-arm64": "Linux (ARM64)",
    "genba-darwin-arm64": "macOS (Apple silicon)",
    "genba-darwin-amd64": "macOS (Intel)",
}


@dataclass(frozen=True, slots=True)
class Program:
    """A program that the gateway serves."""

    file: str
    system: str


def make_blueprint(pages: Pages, executables: Executables) -> Blueprint:
    """/help."""
    blueprint = pages.blueprint("help")

    @blueprint.get("/help")
    @needs(RouteAccess.SIGNED_IN)
    async def show_help() -> Response:
        return pages.show("help/help.html", programs=list_programs(await executables.list_names()))

    return blueprint


def list_programs(served: list[str]) -> list[Program]:
    """Those of the served files that people install, the commonest system first."""
    return [Program(file, system) for file, system in _SYSTEMS.items() if file in served]
