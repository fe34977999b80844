"""`genba tokens`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli.command import TokenGroup, environment_of
from genba_ide_bridge.cli.durations import Duration
from genba_ide_bridge.cli.output import (
    Column,
    ago,
    choose_columns,
    column_option,
    note,
    output_option,
    print_json,
    print_table,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.users import APIKey

_WHOLE_TOKEN = re.compile(r"([A-Za-z0-9]{10})-[A-Za-z0-9]{22}")
"""`<id>-<secret>` (contract 5.1)."""

COLUMNS: Final[list[Column[APIKey]]] = [
    Column("id", lambda key: key.id),
    Column("name", lambda key: key.token_name),
    Column("last used", lambda key: ago(key.last_used)),
    Column("expires at", lambda key: ago(key.expires_at)),
    Column("created at", lambda key: ago(key.created_at)),
    Column("owner", lambda key: key.username),
]


@click.group("tokens", cls=TokenGroup)
def tokens() -> None:
    """Create, list and remove tokens, with which programs sign in."""


@tokens.command("create")
@click.option("--lifetime", type=Duration(), envvar=environment_of("TOKEN_LIFETIME"), help="How long, like 30d.")
@click.option("-n", "--name", default="", envvar=environment_of("TOKEN_NAME"), help="What to call it.")
@click.option("-u", "--user", default="me", envvar=environment_of("TOKEN_USER"), help="For another user.")
def create_token(lifetime: timedelta | None, name: str, user: str) -> None:
    """Make a token and print it; it is never shown again."""

    async def create(client: GatewayClient) -> None:
        from genba_wire.api.users import CreateTokenRequest

        nanoseconds = int((lifetime or timedelta(0)) / timedelta(microseconds=1)) * 1000
        click.echo(await client.users.create_token(user, CreateTokenRequest(lifetime=nanoseconds, token_name=name)))

    run_with_gateway(create)


@tokens.command("list")
@click.option("-a", "--all", "all_", is_flag=True, help="Those of all users.")
@column_option
@output_option
def list_tokens(all_: bool, columns: tuple[str, ...], output: str) -> None:
    """List tokens."""
    default = ("id", "name", "last used", "expires at", "created at")
    chosen = choose_columns(COLUMNS, (*default, "owner") if all_ else default, columns)

    async def show(client: GatewayClient) -> None:
        if output == "json":
            print_json(await client.users.list_tokens_json(of_all_users=all_) or [])
            return
        found = await client.users.list_tokens(of_all_users=all_)
        if found:
            print_table(chosen, found)
        else:
            note("No tokens. `genba tokens create --name NAME` makes one.")

    run_with_gateway(show)


@tokens.command("remove")
@click.argument("token", metavar="NAME|ID|TOKEN")
def remove_token(token: str) -> None:
    """Remove a token: what signs in with it is signed out."""

    async def remove(client: GatewayClient) -> None:
        whole = _WHOLE_TOKEN.fullmatch(token)
        key_id = whole[1] if whole else await client.users.find_token_id(token) or token
        # A whole token is not repeated: it would stay in the terminal's history.
        shown = key_id if whole else token
        try:
            await client.users.delete_key(key_id)
        except GatewayRefused as refusal:
            if refusal.status != 404:
                raise
            raise BridgeError(f'There is no token "{shown}".', "`genba tokens list` shows yours.") from refusal
        click.echo(f"Token {shown} was removed.")

    run_with_gateway(remove)
