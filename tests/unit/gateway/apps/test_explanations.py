from __future__ import annotations

from dataclasses import replace

import pytest

from genba_gateway.apps.connections import UpstreamLost
from genba_gateway.apps.explanations import explain_failure
from genba_gateway.apps.responses import BadAnswer
from genba_gateway.apps.upstreams import BadAppUrl, parse_app_url
from genba_gateway.domain.app_access import AppAddress, AppOrigin, AppTarget
from tests.support.proxied_apps import GrantEverything

TARGET = AppTarget(
    AppAddress(AppOrigin.SUBDOMAIN, "ana", "dev", "main", "web", "/"),
    *("w", "a", "b", "http://db.inner:5432", "public", "u", "k"),
)


@pytest.mark.parametrize(
    ("error", "app_url"),
    [
        (UpstreamLost("db.inner said no."), "http://db.inner:5432"),
        (BadAnswer("db.inner said no"), "http://db.inner:5432"),
        (None, "ftp://db.inner:5432"),
    ],
)
async def test_only_the_owner_is_told_where_in_the_workspace_an_app_is(error: Exception | None, app_url: str) -> None:
    if error is None:
        with pytest.raises(BadAppUrl) as raised:
            parse_app_url(app_url)
        error = raised.value
    access = GrantEverything("a")
    target = replace(TARGET, app_url=app_url)
    assert "db.inner:5432" in (await explain_failure(access, error, replace(target, is_owner=True))).message
    assert "inner" not in (await explain_failure(access, error, target)).message
