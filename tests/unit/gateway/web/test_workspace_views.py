from __future__ import annotations

from typing import Any

from genba_gateway.domain.workspaces import Resource
from genba_gateway.web.workspace.app_links import AppLinks
from genba_gateway.web.workspace_views import AgentView, view_workspace
from tests.support.page_values import NOW, make_agent, make_app, make_build, make_workspace
from tests.unit.gateway.web.workspace.test_app_links import own_hosts

SHOWN: dict[str, Any] = {
    "apps": (
        make_app("ide", subdomain=True),
        make_app("top", command="htop"),
        make_app("bad", external=True, url="javascript:alert(1)"),
        make_app("hidden", hidden=True),
    ),
    "display_apps": ("web_terminal",),
}


def _view(**agent: Any) -> AgentView:
    resource = Resource("r", "j", "start", "host", "x", False, "", 0, (), NOW, (make_agent(**{**SHOWN, **agent}),))
    build = make_build(resources=(resource,))
    (view,) = view_workspace(make_workspace(build), NOW, own_hosts).agents
    return view


def test_the_list_links_apps_as_the_page_does_and_leaves_out_what_is_no_link() -> None:
    links = AppLinks("ana", "dev", own_hosts)
    assert _view().apps == tuple(link for link in links.apps_of(make_agent(**SHOWN)) if link.url)
    assert [link.slug for link in _view().apps] == ["ide", "top"]


def test_a_terminal_is_linked_unless_the_template_hides_it() -> None:
    assert _view().terminal == "/@ana/dev.main/terminal"
    assert _view(display_apps=()).terminal == ""
