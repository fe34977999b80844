"""The folder where the command line keeps its session: the files `url` and `session`."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from genba_ide_bridge.errors import BridgeError

_LOCAL_HOSTS = ("localhost", "127.", "[::1]")


def default_config_dir() -> Path:
    """`~/.config/genba`, on every platform: people share dotfiles, and editors' settings name it.

    Raises:
        BridgeError: the user has no home folder.
    """
    try:
        home = Path.home()
    except RuntimeError as error:
        raise BridgeError(
            "You have no home folder to keep a sign-in in: set HOME, or name a folder with GENBA_CONFIG_DIR."
        ) from error
    return home / ".config" / "genba"


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """What was kept from one call of `genba` to the next. Files are 0600 in a folder that is 0700."""

    path: Path

    def read_url(self) -> str:
        """The gateway that was signed in to last, or an empty string."""
        return self._read("url")

    def read_token(self) -> str:
        """The session token, or an empty string."""
        return self._read("session")

    def write(self, url: str, token: str) -> None:
        """Keep a session."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._write("url", url)
            self._write("session", token)
        except OSError as error:
            raise BridgeError(
                f"Can't keep the session in {self.path}: {error}.", "--global-config names another folder."
            ) from error

    def delete(self) -> bool:
        """Forget the session; returns whether there was one."""
        existed = False
        for name in ("session", "url"):
            try:
                (self.path / name).unlink()
                existed = True
            except FileNotFoundError:
                continue
        return existed

    def _read(self, name: str) -> str:
        try:
            return (self.path / name).read_text(encoding="utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as error:
            raise BridgeError(f"Can't read {self.path / name}: {error}.") from error
        except UnicodeDecodeError as error:
            raise BridgeError(f"{self.path / name} holds no text.", "Sign in again: `genba login URL`.") from error

    def _write(self, name: str, text: str) -> None:
        # Written beside and renamed: an editor's extension reads these files at any time.
        fresh = self.path / f".{name}.{os.getpid()}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(self.path / name)


def normalize_url(text: str) -> str:
    """Complete an address as people type it: `gateway.example.com` is https, `localhost:3000` is http.

    Raises:
        BridgeError: not an address of a website.
    """
    text = text.strip()
    if "://" not in text:
        text = ("http://" if text.startswith(_LOCAL_HOSTS) else "https://") + text
    try:
        parts = urlsplit(text)
        hostname, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BridgeError(f'"{text}" is not a URL: {error}.') from error
    if parts.scheme not in ("http", "https") or not hostname or not text.isprintable():
        raise BridgeError(f'"{text}" is not the URL of a gateway.', "It looks like https://gateway.example.com.")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_same_gateway(one: str, other: str) -> bool:
    """Whether two addresses name the same gateway."""
    return normalize_url(one).lower() == normalize_url(other).lower()


def has_browser() -> bool:
    """Whether opening a page would show it in a window, and not in a text browser in this terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
