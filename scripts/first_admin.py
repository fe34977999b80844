"""See to it that somebody is signed in: the first admin, made on the first run."""

from __future__ import annotations

import os
import secrets
from typing import Final

from scripts.api_session import ApiSession
from scripts.clone import RunFolders
from scripts.failures import ScriptFailure
from scripts.genba_command import GenbaCommand

USERNAME: Final = "admin"
EMAIL: Final = "admin@localhost.localdomain"


def sign_in_admin(folders: RunFolders, url: str, genba: GenbaCommand) -> ApiSession:
    """Make the first admin if there is no user yet, and sign in with the password kept from then.

    Raises:
        ScriptFailure: the gateway has users already, and the admin's password is not in its file.
    """
    if not ApiSession(url).has_first_user():
        password = _make_password(folders)
        genba.run(
            "the first admin is made",
            *("login", url, "--first-user-username", USERNAME, "--first-user-email", EMAIL),
            secrets={"CODER_FIRST_USER_PASSWORD": password},
        )
        return ApiSession.from_config(folders.config)
    session = _kept_session(folders, url)
    if session is not None:
        return session
    if not folders.password.exists():
        raise ScriptFailure(
            f"{folders.password} is missing, so nobody can be signed in: sign in by `.genba/bin/genba login {url}`, "
            "or begin anew by removing the folder .genba"
        )
    token = ApiSession(url).sign_in(EMAIL, folders.password.read_text(encoding="utf-8").strip())
    genba.run("signing in", "login", url, "--use-token-as-session", secrets={"CODER_SESSION_TOKEN": token})
    return ApiSession.from_config(folders.config)


def _make_password(folders: RunFolders) -> str:
    """Return the password in the file, made now if there is none: a first run may have ended half-way."""
    kept = folders.password.read_text(encoding="utf-8").strip() if folders.password.exists() else ""
    if kept:
        return kept
    password = secrets.token_urlsafe(18)
    # Written beside and renamed: a run that is killed in between leaves no file without a password.
    fresh = folders.password.with_name(f".{folders.password.name}.{os.getpid()}")
    with open(os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
        file.write(password + "\n")
    fresh.replace(folders.password)
    return password


def _kept_session(folders: RunFolders, url: str) -> ApiSession | None:
    """Return the session of an earlier run while it is good and the gateway has not moved to another address."""
    try:
        session = ApiSession.from_config(folders.config)
    except ScriptFailure:
        return None
    return session if session.url.rstrip("/") == url and session.is_signed_in() else None
