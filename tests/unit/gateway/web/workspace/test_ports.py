from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from genba_gateway.domain.port_shares import PortShare
from genba_gateway.domain.provisioning import BuildResult, ResourceSpec
from genba_gateway.web.workspace.app_links import AppLinks
from genba_gateway.web.workspace.ports import view_ports
from genba_wire.api.agents import ListeningPort
from tests.support.dashboard_app import Dashboard, open_dashboard
from tests.support.page_values import make_agent
from tests.unit.gateway.services.test_timings import AGENT

PORTS = "/@mia/dev.main/ports"
SHARE = f"{PORTS}/share"


def own_hosts(owner: str, workspace: str, agent: str, app: str) -> str:
    return f"http://{app}--{agent}--{workspace}--{owner}.test/"


async def _add_workspace(dashboard: Dashboard) -> Dashboard:
    workshop = dashboard.workshop
    template = await workshop.add_template()
    resource = ResourceSpec("docker_container", "a", agents=(AGENT,))
    workshop.provisioner.answers.append(BuildResult(state=b"s", resources=(resource,)))
    await workshop.add_workspace(template, "dev")
    return dashboard


@pytest.fixture
async def dashboard(tmp_path: Path) -> AsyncGenerator[Dashboard]:
    """With a workspace of the member whose ports have addresses; its agent is away."""
    async with open_dashboard(tmp_path, own_hosts) as made:
        yield await _add_workspace(made)


def test_ports_that_are_listened_on_or_shared_are_shown_once_with_their_level() -> None:
    listening = [
        ListeningPort(process_name=name, network="tcp", port=port) for name, port in (("vite", 5173), ("", 80))
    ]
    shares = [PortShare("w", "main", 5173, "public", "http"), PortShare("w", "main", 8443, "authenticated", "https")]
    views = view_ports(listening, shares, make_agent(name="main"), AppLinks("mia", "dev", own_hosts))
    assert [(view.number, view.process, view.is_listening, view.level) for view in views] == [
        (80, "", True, "Not shared"),
        (5173, "vite", True, "Everybody, without signing in"),
        (8443, "", False, "Everybody who is signed in"),
    ]
    assert [view.is_shared for view in views] == [False, True, True]
    assert [view.url.partition("--")[0] for view in views] == ["http://80", "http://5173", "http://8443s"]


async def test_a_port_is_shared_otherwise_and_no_longer(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    form = await browser.read(f"{SHARE}?port=8080")
    assert 'value="8080"' in form
    assert '<option value="authenticated" selected>' in form
    sent = await browser.send(SHARE, {"port": "8080", "share_level": "public", "protocol": "https"}, htmx=True)
    assert "Port 8080 is shared." in await sent.get_data(as_text=True)
    assert sent.headers["HX-Trigger"] == "genba:close"
    listed = await browser.read(PORTS)
    for shown in ("Everybody, without signing in", "nothing listens on it", "http://8080s--main--dev--mia.test/"):
        assert shown in listed
    assert '<option value="public" selected>' in await browser.read(f"{SHARE}?port=8080")
    for _ in range(2):
        sent = await browser.send(SHARE, {"port": "8080", "share_level": "owner"}, htmx=True)
        assert "Port 8080 is not shared." in await sent.get_data(as_text=True)
    assert "8080" not in await browser.read(PORTS)


@pytest.mark.parametrize("port", ["", "x", "0", "8", "65536", "123456", "٣٠٠٠"])
async def test_what_is_no_port_is_said_at_its_field(dashboard: Dashboard, port: str) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    await browser.read(SHARE)
    typed = {"port": port, "share_level": "public", "protocol": "http"}
    answer = await browser.send(SHARE, typed)
    text = await answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert 'id="port-problem"' in text
    assert f'value="{port}"' in text
    in_dialog = await browser.send(SHARE, typed, htmx=True)
    assert (in_dialog.status_code, in_dialog.headers["HX-Retarget"]) == (200, "#dialog")


async def test_a_level_that_there_is_not_is_refused(dashboard: Dashboard) -> None:
    browser = dashboard.browser(dashboard.workshop.member)
    await browser.read(SHARE)
    answer = await browser.send(SHARE, {"port": "8080", "share_level": "everyone", "protocol": "http"})
    assert answer.status_code == 400
    assert 'id="share_level-problem"' in await answer.get_data(as_text=True)


async def test_only_what_the_template_allows_is_offered(dashboard: Dashboard) -> None:
    workshop, browser = dashboard.workshop, dashboard.browser(dashboard.workshop.member)
    (template,) = (await workshop.get(workshop.owner, "/templates")).body
    assert "The template allows no more." not in await browser.read(SHARE)
    limit = {"max_port_share_level": "authenticated"}
    await workshop.call(workshop.owner, "PATCH", f"/templates/{template['id']}", limit)
    text = await browser.read(SHARE)
    assert '<option value="authenticated"' in text
    assert '<option value="public"' not in text
    assert "The template allows no more." in text
    answer = await browser.send(SHARE, {"port": "8080", "share_level": "public", "protocol": "http"})
    assert answer.status_code == 400
    assert "Is above the maximum of the template" in await answer.get_data(as_text=True)


async def test_who_may_not_change_the_workspace_finds_no_form(dashboard: Dashboard) -> None:
    workshop = dashboard.workshop
    stranger = dashboard.browser(workshop.stranger)
    assert (await stranger.get(SHARE)).status_code == 404
    await stranger.read("/workspaces")
    assert (await stranger.send(SHARE, {"port": "8080", "share_level": "public"})).status_code == 404
    assert "ports/share" in await dashboard.browser(workshop.member).read(PORTS)


async def test_where_ports_have_no_address_there_is_nothing_to_share(tmp_path: Path) -> None:
    async with open_dashboard(tmp_path) as plain:
        browser = (await _add_workspace(plain)).browser(plain.workshop.member)
        assert "ports/share" not in await browser.read(PORTS)
        assert (await browser.get(SHARE)).status_code == 404


async def test_a_dialog_is_found_also_from_a_link_that_was_replaced_meanwhile(dashboard: Dashboard) -> None:
    """htmx looks for what a header names from the link, and has found what the link itself names before."""
    browser = dashboard.browser(dashboard.workshop.member)
    assert 'hx-target="#dialog"' in await browser.read(PORTS)
    answer = await browser.get(SHARE, **{"HX-Request": "true", "HX-Target": "dialog"})
    assert answer.headers["HX-Trigger-After-Swap"] == "genba:open"
    assert "HX-Retarget" not in answer.headers
    assert (await browser.get(SHARE, **{"HX-Request": "true"})).headers["HX-Retarget"] == "#dialog"
