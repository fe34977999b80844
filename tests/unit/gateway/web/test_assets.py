from __future__ import annotations

import gzip
import re

import pytest

from genba_gateway.web.assets import ASSETS, ASSETS_VERSION, MIN_GZIP_BYTES, asset_url, serve_asset
from genba_gateway.web.rendering import render_page
from tests.support.page_request import in_request


async def test_assets_are_served_with_their_type_and_kept_for_good() -> None:
    async with in_request():
        for name, content in ASSETS.items():
            response = serve_asset(ASSETS_VERSION, name)
            assert response is not None
            assert await response.get_data() == content
            assert "immutable" in response.headers["Cache-Control"]
        assert serve_asset(ASSETS_VERSION, "../pages.py") is None


async def test_another_versions_address_is_not_kept() -> None:
    async with in_request():
        response = serve_asset("older", "genba.css")
    assert response is not None
    assert response.headers["Cache-Control"] == "no-store"


async def test_what_is_worth_it_is_compressed_for_who_takes_it() -> None:
    async with in_request(accept_encoding="gzip, br"):
        large, small = serve_asset(ASSETS_VERSION, "genba.css"), serve_asset(ASSETS_VERSION, "genba.svg")
    assert large is not None
    assert large.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await large.get_data(as_text=False)) == ASSETS["genba.css"]
    assert small is not None
    assert len(ASSETS["genba.svg"]) < MIN_GZIP_BYTES
    assert "Content-Encoding" not in small.headers


def test_every_vendored_library_comes_with_its_licence() -> None:
    vendored = [name for name in ASSETS if name.startswith("vendor/")]
    assert vendored, "run `make setup`"
    for name in vendored:
        assert f"{name.partition('.')[0]}.LICENSE" in ASSETS


def test_an_asset_that_is_absent_fails_with_the_remedy() -> None:
    with pytest.raises(LookupError, match="make setup"):
        asset_url("vendor/none.js")


async def test_what_the_script_of_every_page_imports_is_fetched_beside_it() -> None:
    imported = re.findall(r'from "\./([^"]+)"', ASSETS["genba.js"].decode())
    assert imported
    async with in_request():
        page = await render_page("errors/error.html", title="", message="").get_data(as_text=True)
    for name in imported:
        assert f'<link rel="modulepreload" href="{asset_url(name)}">' in page
