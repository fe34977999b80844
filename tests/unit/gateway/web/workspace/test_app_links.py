from __future__ import annotations

import pytest

from genba_gateway.domain.agents import Agent, App
from genba_gateway.web.workspace.app_links import AppLinks, is_safe_link
from tests.support.page_values import make_agent, make_app


def with_apps(*apps: App) -> Agent:
    return make_agent(apps=apps)


def no_hosts(*_: str) -> str:
    return ""


def own_hosts(owner: str, workspace: str, agent: str, app: str) -> str:
    return f"http://{app}--{agent}--{workspace}--{owner}.test/"


def test_an_app_is_opened_on_its_path_or_on_its_own_host() -> None:
    agent = with_apps(make_app(), make_app("ide", subdomain=True, display_name="IDE"))
    by_path = AppLinks("ana", "dev", no_hosts).apps_of(agent)
    assert [(each.name, each.url) for each in by_path] == [
        ("web", "/@ana/dev.main/apps/web/"),
        ("IDE", "/@ana/dev.main/apps/ide/"),
    ]
    assert AppLinks("ana", "dev", own_hosts).apps_of(agent)[1].url == "http://ide--main--dev--ana.test/"
    assert AppLinks("ana", "dev", own_hosts).apps_of(agent)[0].url == "/@ana/dev.main/apps/web/"


def test_a_command_opens_in_the_terminal_and_hidden_apps_nowhere() -> None:
    both = make_app("both", command="htop", subdomain=True)
    agent = with_apps(make_app("top", url="", command="htop"), both, make_app("secret", hidden=True))
    links = AppLinks("ana", "dev", own_hosts)
    terminal = "/@ana/dev.main/terminal"
    assert [each.url for each in links.apps_of(agent)] == [f"{terminal}?app=top", f"{terminal}?app=both"]
    assert links.terminal_of(agent) == "/@ana/dev.main/terminal"


def test_a_port_has_an_address_where_hosts_are_made() -> None:
    assert AppLinks("ana", "dev", no_hosts).port_of(with_apps(), 8080) == ""
    assert AppLinks("ana", "dev", own_hosts).port_of(with_apps(), 8080) == "http://8080--main--dev--ana.test/"


def test_an_external_address_that_runs_something_here_is_no_link() -> None:
    agent = with_apps(make_app(url="javascript:alert(1)", external=True), make_app(url="vscode://x", external=True))
    assert [each.url for each in AppLinks("ana", "dev", no_hosts).apps_of(agent)] == ["", "vscode://x"]


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://example.com/", True),
        ("jetbrains-gateway://connect#x", True),
        ("JavaScript:alert(1)", False),
        ("java\tscript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("\x01javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("filesystem:http://x/", False),
        ("//evil.example", False),
        ("", False),
    ],
)
def test_links_are_absolute_and_no_programs(url: str, is_safe: bool) -> None:
    assert is_safe_link(url) is is_safe
