"""`genba login`, `logout` and `whoami`."""

from __future__ import annotations

import getpass
import webbrowser
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from genba_ide_bridge.cli import prompts
from genba_ide_bridge.cli.command import GenbaCommand, environment_of
from genba_ide_bridge.cli.options import Settings
from genba_ide_bridge.cli.output import note, output_option, print_json, yes_option
from genba_ide_bridge.cli.running import current_settings, run_with_gateway, run_with_token
from genba_ide_bridge.cli.session import has_browser, is_same_gateway, normalize_url
from genba_ide_bridge.errors import BridgeError, NotSignedIn
from genba_wire.errors import GatewayUnreachable

if TYPE_CHECKING:
    from genba_ide_bridge.api.client import GatewayClient


@dataclass(frozen=True, slots=True)
class FirstUser:
    """What flags say about the first user; None where they say nothing."""

    username: str | None
    email: str | None
    name: str | None
    password: str | None


@click.command("login", cls=GenbaCommand)
@click.argument("url", required=False, metavar="[URL]")
@click.option("--first-user-username", envvar=environment_of("FIRST_USER_USERNAME"), help="For a new deployment.")
@click.option("--first-user-email", envvar=environment_of("FIRST_USER_EMAIL"), help="For a new deployment.")
@click.option("--first-user-full-name", envvar=environment_of("FIRST_USER_FULL_NAME"), help="For a new deployment.")
@click.option("--first-user-password", envvar=environment_of("FIRST_USER_PASSWORD"), help="For a new deployment.")
@click.option("--first-user-trial", is_flag=True, hidden=True, envvar=environment_of("FIRST_USER_TRIAL"))
@click.option("--use-token-as-session", is_flag=True, help="Keep the token that was given, and make no key of its own.")
def login(
    url: str | None,
    first_user_username: str | None,
    first_user_email: str | None,
    first_user_full_name: str | None,
    first_user_password: str | None,
    first_user_trial: bool,
    use_token_as_session: bool,
) -> None:
    """Sign in to the gateway at URL; on a new one, create its first user.

    `genba login token` prints the token of the session.
    """
    del first_user_trial  # there is nothing to try: all of it is free
    settings = current_settings()
    if url == "token":
        click.echo(_stored_token(settings))
        return
    address = normalize_url(url) if url else settings.explicit_url or settings.folder.read_url()
    if not address:
        address = prompts.ask("URL of the gateway", "its URL: genba login URL", check=_check_url)
    first_user = FirstUser(first_user_username, first_user_email, first_user_full_name, first_user_password)
    token, username = _sign_in(settings, address, first_user, use_token_as_session=use_token_as_session)
    settings.folder.write(address, token)
    click.echo(f"Signed in to {address} as {username}.")


def _check_url(answer: str) -> str:
    try:
        return normalize_url(answer)
    except BridgeError as error:
        raise click.UsageError(error.message) from error


def _stored_token(settings: Settings) -> str:
    token = settings.token()
    if not token:
        url = settings.explicit_url
        raise NotSignedIn(f"There is no session{f' for {url}' if url else ''}.", f"Run `genba login {url or 'URL'}`.")
    return token


def _sign_in(settings: Settings, url: str, first_user: FirstUser, *, use_token_as_session: bool) -> tuple[str, str]:
    """Get a session token; returns it with the user's name."""
    explicit = settings.explicit_token
    if use_token_as_session:
        return explicit or "", run_with_token(settings, url, explicit or "", _username)
    if not run_with_token(settings, url, "", _has_first_user):
        token = _set_up(settings, url, first_user)
    else:
        token = explicit or _ask_token(settings, url)
    return run_with_token(settings, url, token, _exchange_token)


async def _has_first_user(client: GatewayClient) -> bool:
    return await client.users.has_first_user()


async def _username(client: GatewayClient) -> str:
    return (await client.users.get_user()).username


async def _exchange_token(client: GatewayClient) -> tuple[str, str]:
    """Make a key of this machine's own, so that signing out here ends nothing elsewhere."""
    username = await _username(client)
    return await client.users.create_key(), username


def _ask_token(settings: Settings, url: str) -> str:
    page = f"{url}/cli-auth"
    prompts.require_terminal("Signing in needs a token", f"--token, or GENBA_SESSION_TOKEN, with a token from {page}")
    note(f"Open this page, sign in, and copy the token:\n\n    {page}\n")
    if settings.opens_browser and has_browser():
        webbrowser.open(page)
    return prompts.ask_secret("Token", "--token").strip()


def _set_up(settings: Settings, url: str, given: FirstUser) -> str:
    """Create the first user; returns a session token of theirs."""
    from genba_wire.api.users import CreateFirstUserRequest

    note(f"The gateway at {url} is new: this creates its first user, who owns it.")
    username = given.username or prompts.ask("Username", "--first-user-username", default=_default_username())
    email = given.email or prompts.ask("E-mail", "--first-user-email")
    password = given.password or prompts.ask_secret("Password", "--first-user-password", twice=True)
    request = CreateFirstUserRequest(email=email, username=username, password=password, name=given.name or "")

    async def create(client: GatewayClient) -> str:
        await client.users.create_first_user(request)
        return await client.users.login(email, password)

    return run_with_token(settings, url, "", create)


def _default_username() -> str | None:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return None


@click.command("logout", cls=GenbaCommand)
@yes_option
def logout(yes: bool) -> None:
    """Sign out: end the session at the gateway and forget it here."""
    settings = current_settings()
    folder = settings.folder
    stored_url, token = folder.read_url(), folder.read_token()
    if settings.explicit_url and stored_url and not is_same_gateway(stored_url, settings.explicit_url):
        click.echo(f"There is no session for {settings.explicit_url}.")
        return
    if not stored_url and not token:
        click.echo("You were not signed in.")
        return
    if not yes:
        prompts.confirm(f"Sign out of {stored_url}?")
    if token and stored_url:
        _end_session(settings, stored_url, token)
    folder.delete()
    click.echo(f"Signed out of {stored_url}.")


def _end_session(settings: Settings, url: str, token: str) -> None:
    async def end(client: GatewayClient) -> None:
        await client.users.logout()

    try:
        run_with_token(settings, url, token, end)
    except NotSignedIn:
        pass  # it had ended before
    except GatewayUnreachable as error:
        note(f"warning: the session stays valid at the gateway until it expires. {error}")


@click.command("whoami", cls=GenbaCommand)
@output_option
def whoami(output: str) -> None:
    """Show who is signed in, and where."""

    async def show(client: GatewayClient) -> None:
        if output == "json":
            print_json(await client.users.get_user_json())
            return
        user = await client.users.get_user()
        roles = ", ".join(role.name for role in user.roles) or "member"
        click.echo(f"{user.username} ({user.email}) at {client.base_url}, roles: {roles}")

    run_with_gateway(show)
