from __future__ import annotations

import pytest

from genba_gateway.config import Config
from genba_gateway.errors import NotFound
from genba_gateway.services.deployment_config import DeploymentSettings, describe_config
from genba_gateway.web.deployment import SettingView, view_setting
from tests.support.dashboard_app import Dashboard

SECRET_URL = "postgresql://genba:hunter22@db/genba"


def _settings(config: Config) -> dict[str, SettingView]:
    return {option.yaml: view_setting(option) for option in describe_config(config).options}


async def test_owners_see_settings_and_use(dashboard: Dashboard) -> None:
    text = await dashboard.browser().read("/deployment")
    for shown in ("--access-url", "GENBA_ACCESS_URL", "Running", "Web terminal", "not shown, may hold a secret"):
        assert shown in text


async def test_others_find_no_such_page(dashboard: Dashboard) -> None:
    assert (await dashboard.browser(dashboard.workshop.member).get("/deployment")).status_code == 404
    with pytest.raises(NotFound):
        DeploymentSettings(Config()).get(dashboard.workshop.member.actor)


def test_a_setting_tells_whether_it_was_set_but_of_a_secret_nothing() -> None:
    views = _settings(Config(database_url=SECRET_URL, access_url="https://genba.test"))
    assert views["access_url"].is_changed
    assert not views["tls_cert"].is_changed
    secret = views["database_url"]
    assert secret.is_secret
    assert not secret.is_changed
    assert SECRET_URL not in str(secret)
