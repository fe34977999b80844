"""Which organization a command means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.users import Organization


async def find_organization(client: GatewayClient, named: str | None) -> Organization:
    """The organization of that name or id; without one, the only one.

    Raises:
        BridgeError: there is no such organization.
        click.UsageError: none is named and there are several.
    """
    organizations = await client.users.list_organizations()
    names = ", ".join(organization.name for organization in organizations)
    if named:
        found = [one for one in organizations if named in (one.id, one.name)]
        if not found:
            raise BridgeError(f'You are in no organization "{named}".', f"You are in: {names or 'none'}.")
        return found[0]
    if not organizations:
        raise BridgeError("You are in no organization.", "Ask an owner of the deployment to add you to one.")
    if len(organizations) > 1:
        raise click.UsageError(f"You are in several organizations: name one of {names} with --org.")
    return organizations[0]
