"""Takes secrets out of what leaves the machine.

Three nets, one behind the other: secrets that this call knows (its token, headers, variables of the environment with
names like PASSWORD) go wherever they stand; keys and names that mean a secret lose their values; and what looks like
a secret (private keys, JWTs, tokens of well-known services, passwords in URLs) goes by its form. What somebody wrote
into a log without any mark can't be known: the user is told to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, cast

REDACTED: Final = "[redacted]"

MIN_SECRET_LENGTH: Final = 6
"""Shorter ones would be found in words that have nothing to do with them."""

_SECRET_NAME: Final = re.compile(
    r"token|secret|passw|passphrase|(?:^|[_.-])pass$|pwd|credential|cookie|authori[sz]ation|bearer|api.?key"
    r"|private.?key|access.?key|(?:^|[_.-])key$|signature|session|dsn|connection.?string|database.?url",
    re.IGNORECASE,
)
"""Names of keys, headers and variables whose values are secret."""

_HARMLESS_NAMES: Final = frozenset({"key", "xdg_session_type", "xdg_session_class", "coder_ssh_session_type"})
"""They look like those and hold none; `key` names an item of metadata."""

_HOLDS_SECRETS: Final = frozenset({"environment_variables", "rich_parameter_values", "user_variable_values", "headers"})
"""Keys of the API whose whole content people put secrets into."""

_SHOWN_VARIABLES: Final = re.compile(
    r"LANG|LC_[A-Z]+|TZ|TERM|COLORTERM|TERM_PROGRAM(_VERSION)?|SHELL|PATH|OS|PROCESSOR_ARCHITECTURE|SHLVL|PWD|HOME"
    r"|DISPLAY|WAYLAND_DISPLAY|XDG_[A-Z_]+|SSH_(CONNECTION|TTY)|WSL_DISTRO_NAME|VSCODE_[A-Z_]+"
    r"|(https?|all|no)_proxy|(HTTPS?|ALL|NO)_PROXY|SSL_CERT_(FILE|DIR)|PYTHON[A-Z]+|(GENBA|CODER)_[A-Z_]+"
)
"""Only these variables are shown with their values; of all others, the name."""

_FORMS: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----.*?(-----END [^\n]*-----|\Z)", REDACTED),
        (r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^\s/@\"']+@", rf"\1{REDACTED}@"),
        (r"(?i)\b(authorization|(?:set-)?cookie|coder-session-token)(\"?\s*[:=]\s*)[^\r\n]+", rf"\1\2{REDACTED}"),
        (r"(?i)\b(bearer|basic)\s+[a-z0-9+/_.=~-]{8,}", rf"\1 {REDACTED}"),
        (r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?", REDACTED),
        (r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abposr]-|sk-|npm_|pypi-|hf_|dop_v1_)[A-Za-z0-9_-]{10,}", REDACTED),
        (r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", REDACTED),
        (r"\b[A-Za-z0-9]{10}-[A-Za-z0-9]{22}\b", REDACTED),  # a session of the gateway (contract 5.1)
        (r"(?i)(?<!-)(--[a-z0-9-]{0,40}(?:token|password|passphrase|secret|api-?key)[ ]+)\S+", rf"\1{REDACTED}"),
        # What a name begins with stays anyway; looking for it here would take quadratic time in long words.
        (
            r"(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)"
            r"(?:[_.-][a-z0-9]+){0,9}[\"']?[ \t]*(?:=>|[:=])[ \t]*)(?:\"[^\"\r\n]*\"|'[^'\r\n]*'|[^\s,;&\"']+)",
            rf"\1{REDACTED}",
        ),
    )
)  # fmt: skip


class Redactor:
    """Takes out what is secret, with the secrets of this call."""

    def __init__(self, secrets: Iterable[str], home: str) -> None:
        # The longest first: one may be a part of another.
        known = sorted({one for one in secrets if len(one) >= MIN_SECRET_LENGTH}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None
        self._home = re.compile(re.escape(home.rstrip("/\\")) + r"(?=[/\\\s\"':;,]|$)") if len(home) > 1 else None

    def text(self, text: str) -> str:
        """A text without its secrets; the home folder is `~`."""
        if self._known is not None:
            text = self._known.sub(REDACTED, text)
        for form, replacement in _FORMS:
            text = form.sub(replacement, text)
        return self._home.sub("~", text) if self._home is not None else text

    def json(self, value: object) -> object:
        """JSON without its secrets; its shape stays."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(one) for one in cast(list[object], value)]
        if isinstance(value, dict):
            return {self.text(key): self._member(key, one) for key, one in cast(dict[str, object], value).items()}
        return value

    def _member(self, key: str, value: object) -> object:
        if key in _HOLDS_SECRETS or is_secret_name(key):
            return _blank(value)
        return self.json(value)

    def environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The environment: values of harmless variables, and the names of all others."""
        shown: dict[str, str] = {}
        for name, value in sorted(variables.items()):
            is_shown = _SHOWN_VARIABLES.fullmatch(name) and not is_secret_name(name) and "HEADER" not in name
            shown[name] = self.text(value) if is_shown else _blank_text(value)
        return shown


def is_secret_name(name: str) -> bool:
    """Whether what has this name is secret."""
    return name.lower() not in _HARMLESS_NAMES and _SECRET_NAME.search(name) is not None


def secrets_of_environment(variables: Mapping[str, str]) -> list[str]:
    """Values that may turn up elsewhere, as in a log."""
    return [value for name, value in variables.items() if is_secret_name(name) and len(value) >= MIN_SECRET_LENGTH]


def _blank(value: object) -> object:
    """The same shape without a value in it; numbers and facts say nothing."""
    if isinstance(value, str):
        return _blank_text(value)
    if isinstance(value, list):
        return [_blank(one) for one in cast(list[object], value)]
    if isinstance(value, dict):
        members = cast(dict[str, object], value).items()
        return {key: one if key == "name" else _blank(one) for key, one in members}
    return value


def _blank_text(text: str) -> str:
    return REDACTED if text else ""
