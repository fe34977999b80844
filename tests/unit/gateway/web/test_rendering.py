from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from genba_gateway.web.rendering import ASSETS, ASSETS_VERSION, render_page, serve_asset


async def test_what_a_page_shows_is_escaped_and_its_headers_forbid_scripts() -> None:
    response = render_page("error.html", status=404, title="<script>", message="a & b")
    text = await response.get_data(as_text=True)
    assert response.status_code == 404
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert ASSETS_VERSION in text
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Cache-Control"] == "no-store"


def test_a_value_that_is_forgotten_fails_the_page() -> None:
    with pytest.raises(UndefinedError):
        render_page("error.html", title="No message")


async def test_assets_are_served_with_their_type_and_kept_for_good() -> None:
    for name, content in ASSETS.items():
        response = serve_asset(name)
        assert response is not None
        assert await response.get_data() == content
        assert "immutable" in response.headers["Cache-Control"]
    assert serve_asset("../pages.py") is None
