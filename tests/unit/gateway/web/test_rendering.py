from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from genba_gateway.web.assets import ASSETS_VERSION
from genba_gateway.web.rendering import render_page


async def test_what_a_page_shows_is_escaped_and_its_headers_forbid_scripts() -> None:
    response = render_page("errors/error.html", status=404, title="<script>", message="a & b")
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
        render_page("errors/error.html", title="No message")
