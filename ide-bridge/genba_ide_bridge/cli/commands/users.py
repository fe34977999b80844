"""`genba users`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import UserGroup
from genba_ide_bridge.cli.output import (
    Column,
    choose_columns,
    column_option,
    organization_option,
    output_option,
    print_json,
    print_table,
)
from genba_ide_bridge.cli.running import run_with_gateway
from genba_ide_bridge.errors import BridgeError
from genba_wire.errors import GatewayRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from genba_ide_bridge.api.client import GatewayClient
    from genba_wire.api.users import User

COLUMNS: Final[list[Column[User]]] = [
    Column("id", lambda user: user.id),
    Column("username", lambda user: user.username),
    Column("email", lambda user: user.email),
    Column("created at", lambda user: user.created_at.isoformat(timespec="seconds")),
    Column("updated at", lambda user: user.updated_at.isoformat(timespec="seconds")),
    Column("status", lambda user: user.status),
]

DEFAULT_COLUMNS: Final = ("username", "email", "created at", "status")


user_argument = click.argument("user", metavar="USERNAME|ID")


@click.group("users", cls=UserGroup)
def users() -> None:
    """Create, list, show, suspend, activate and delete users."""


@users.command("list")
@column_option
@output_option
def list_users(columns: tuple[str, ...], output: str) -> None:
    """List users."""
    chosen = choose_columns(COLUMNS, DEFAULT_COLUMNS, columns)

    async def show(client: GatewayClient) -> None:
        if output == "json":
            print_json(await client.users.list_users_json())
            return
        print_table(chosen, await client.users.list_users())

    run_with_gateway(show)


@users.command("show")
@click.argument("user", metavar="USERNAME|ID|me")
@output_option
def show_user(user: str, output: str) -> None:
    """Show a user."""

    async def show(client: GatewayClient) -> None:
        try:
            if output == "json":
                print_json(await client.users.get_user_json(user))
            else:
                print_user(await client.users.get_user(user))
        except GatewayRefused as refusal:
            raise _explain(refusal, user) from refusal

    run_with_gateway(show)


def _explain(refusal: GatewayRefused, user: str) -> Exception:
    """Name the user who is not there; other refusals stay as they are."""
    if refusal.status != 404:
        return refusal
    return BridgeError(f'There is no user "{user}".', "`genba users list` shows all.")


def print_user(user: User) -> None:
    """Print what is known of a user."""
    roles = ", ".join(role.name for role in user.roles) or "member"
    facts = [("username", user.username), ("name", user.name), ("email", user.email), ("id", user.id)]
    for name, value in [*facts, ("status", user.status), ("signs in by", user.login_type), ("roles", roles)]:
        click.echo(f"{name:<12} {value}".rstrip())


@users.command("create")
@click.option("-u", "--username", help="The name to sign in with.")
@click.option("-e", "--email", help="The e-mail address.")
@click.option("-n", "--full-name", default="", help="The name that people see.")
@click.option("-p", "--password", help="The password; asked for when it is absent.")
@click.option(
    "--login-type",
    type=click.Choice(["password", "none", "github", "oidc"]),
    default="password",
    help="How they sign in; `none` is for programs with tokens.",
)
@organization_option
def create_user(
    username: str | None,
    email: str | None,
    full_name: str,
    password: str | None,
    login_type: str,
    organization: str | None,
) -> None:
    """Add a user."""
    username = username or prompts.ask("Username", "--username")
    email = email or prompts.ask("E-mail", "--email")
    if login_type == "password" and not password:
        password = prompts.ask_secret("Password", "--password", twice=True)

    async def create(client: GatewayClient) -> None:
        from genba_ide_bridge.cli.organizations import find_organization
        from genba_wire.api.users import CreateUserRequest

        found = await find_organization(client, organization)
        request = CreateUserRequest(
            email=email,
            username=username,
            name=full_name,
            password=password or "",
            login_type=login_type,
            organization_ids=[found.id],
        )
        created = await client.users.create_user(request)
        click.echo(f"User {created.username} was created. They sign in with `genba login {client.base_url}`.")

    run_with_gateway(create)


@users.command("suspend")
@user_argument
@column_option
def suspend_user(user: str, columns: tuple[str, ...]) -> None:
    """Let a user do nothing any more, and end what they have open."""
    _change(user, columns, lambda client: client.users.suspend_user(user))


@users.command("activate")
@user_argument
@column_option
def activate_user(user: str, columns: tuple[str, ...]) -> None:
    """Let a suspended user in again."""
    _change(user, columns, lambda client: client.users.activate_user(user))


def _change(user: str, columns: tuple[str, ...], change: Callable[[GatewayClient], Awaitable[User]]) -> None:
    chosen = choose_columns(COLUMNS, DEFAULT_COLUMNS, columns)

    async def ask(client: GatewayClient) -> None:
        try:
            print_table(chosen, [await change(client)])
        except GatewayRefused as refusal:
            raise _explain(refusal, user) from refusal

    run_with_gateway(ask)


@users.command("delete")
@user_argument
def delete_user(user: str) -> None:
    """Remove a user who has no workspaces, with all sessions and tokens."""

    async def delete(client: GatewayClient) -> None:
        try:
            await client.users.delete_user(user)
        except GatewayRefused as refusal:
            raise _explain(refusal, user) from refusal
        click.echo(f"User {user} was deleted.")

    run_with_gateway(delete)
