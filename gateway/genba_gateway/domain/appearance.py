"""How the deployment presents itself: its name, its logo, its announcements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_BANNERS: Final = 20
MAX_MESSAGE_CHARS: Final = 4096
MAX_APPLICATION_NAME_CHARS: Final = 64
MAX_LOGO_URL_CHARS: Final = 2048
"""All far above what a page or a login shell can show."""

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True, slots=True)
class Banner:
    """An announcement to all users, shown in pages, editors and login shells while it is enabled."""

    enabled: bool = False
    message: str = ""
    background_color: str = ""

    @property
    def is_shown(self) -> bool:
        """Whether there is something to show."""
        return self.enabled and bool(self.message.strip())


@dataclass(frozen=True, slots=True)
class Appearance:
    """What operators may choose."""

    application_name: str = ""
    logo_url: str = ""
    banners: tuple[Banner, ...] = ()

    @property
    def first_banner(self) -> Banner:
        """What clients show that know of one banner only."""
        return next((each for each in self.banners if each.is_shown), Banner())


def find_problems(appearance: Appearance) -> Iterator[tuple[str, str]]:
    """What can't be used: the field and why."""
    if len(appearance.application_name) > MAX_APPLICATION_NAME_CHARS:
        yield "application_name", f"must have at most {MAX_APPLICATION_NAME_CHARS} characters"
    logo = appearance.logo_url
    if len(logo) > MAX_LOGO_URL_CHARS or (logo and not logo.startswith(("https://", "http://", "/"))):
        yield "logo_url", f"must begin with https://, http:// or /, with at most {MAX_LOGO_URL_CHARS} characters"
    if len(appearance.banners) > MAX_BANNERS:
        yield "announcement_banners", f"must be at most {MAX_BANNERS}"
    for index, banner in enumerate(appearance.banners):
        field = f"announcement_banners[{index}]"
        if len(banner.message) > MAX_MESSAGE_CHARS:
            yield f"{field}.message", f"must have at most {MAX_MESSAGE_CHARS} characters"
        if banner.background_color and not _COLOUR.fullmatch(banner.background_color):
            yield f"{field}.background_color", "must be a colour such as #004852"
