from __future__ import annotations

import pytest

from genba_gateway.domain.appearance import (
    MAX_APPLICATION_NAME_CHARS,
    MAX_BANNERS,
    MAX_LOGO_URL_CHARS,
    MAX_MESSAGE_CHARS,
    Appearance,
    Banner,
    find_problems,
)


def fields(appearance: Appearance) -> list[str]:
    return [field for field, _ in find_problems(appearance)]


def with_banner(banner: Banner) -> Appearance:
    return Appearance(banners=(banner,))


@pytest.mark.parametrize(
    "appearance",
    [
        Appearance(),
        Appearance(application_name="x" * MAX_APPLICATION_NAME_CHARS),
        Appearance(logo_url="https://" + "x" * (MAX_LOGO_URL_CHARS - 8)),
        Appearance(logo_url="/static/logo.svg"),
        Appearance(banners=(Banner(),) * MAX_BANNERS),
        with_banner(Banner(message="x" * MAX_MESSAGE_CHARS, background_color="#00aaFF")),
    ],
)
def test_what_is_within_the_limits_has_no_problem(appearance: Appearance) -> None:
    assert fields(appearance) == []


@pytest.mark.parametrize(
    ("appearance", "field"),
    [
        (Appearance(application_name="x" * (MAX_APPLICATION_NAME_CHARS + 1)), "application_name"),
        (Appearance(logo_url="https://" + "x" * (MAX_LOGO_URL_CHARS - 7)), "logo_url"),
        (Appearance(logo_url="javascript:alert(1)"), "logo_url"),
        (Appearance(banners=(Banner(),) * (MAX_BANNERS + 1)), "announcement_banners"),
        (with_banner(Banner(message="x" * (MAX_MESSAGE_CHARS + 1))), "announcement_banners[0].message"),
        (with_banner(Banner(background_color="red")), "announcement_banners[0].background_color"),
        (with_banner(Banner(background_color="#12345g")), "announcement_banners[0].background_color"),
        (with_banner(Banner(background_color="#123456;x")), "announcement_banners[0].background_color"),
    ],
)
def test_what_is_past_them_is_named(appearance: Appearance, field: str) -> None:
    assert fields(appearance) == [field]


def test_the_first_banner_is_one_that_is_shown() -> None:
    shown = Banner(enabled=True, message="b")
    assert Appearance(banners=(Banner(message="a"), Banner(enabled=True, message=" "), shown)).first_banner == shown
    assert Appearance().first_banner == Banner()
