from __future__ import annotations

import pytest

from genba_gateway.web.forms import HOME, go_to, local_target, login_path, mask_token, unmask_token


@pytest.mark.parametrize("path", ["/", "/workspaces", "/cli-auth?x=1#y", "/a//b"])
def test_a_path_of_this_origin_is_where_a_sign_in_leads(path: str) -> None:
    assert local_target(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "workspaces", "https://evil.test", "//evil.test", "/\\evil.test", "/\t/evil.test", "/a\n", "javascript:x"],
)
def test_whatever_could_leave_the_origin_leads_home(path: str) -> None:
    assert local_target(path) == HOME


def test_a_redirect_is_fetched_by_get_and_kept_by_nobody() -> None:
    response = go_to("/login")
    assert (response.status_code, response.headers["Location"], response.headers["Cache-Control"]) == (
        303,
        "/login",
        "no-store",
    )


def test_a_target_is_one_value_of_the_sign_in_page() -> None:
    assert login_path("/a b?c=d&e") == "/login?redirect=/a%20b%3Fc%3Dd%26e"


def test_a_token_is_masked_anew_for_each_page() -> None:
    pages = {mask_token("the-token") for _ in range(8)}
    assert len(pages) == 8
    assert {unmask_token(page) for page in pages} == {b"the-token"}


@pytest.mark.parametrize("masked", ["", "x", "the-token", "ab", "日本"])
def test_what_no_page_carried_is_no_token(masked: str) -> None:
    assert unmask_token(masked) != b"the-token"
