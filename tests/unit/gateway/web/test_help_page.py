from __future__ import annotations

from genba_gateway.web.help_page import list_programs
from tests.support.dashboard_app import ACCESS_URL, Dashboard


async def test_help_names_this_gateway_in_what_is_to_be_copied(dashboard: Dashboard) -> None:
    text = await dashboard.browser(dashboard.workshop.member).read("/help")
    assert f"genba login {ACCESS_URL}" in text
    assert "genba config-ssh" in text
    assert 'href="/cli-auth"' in text
    assert 'href="/settings/ssh-keys"' in text


def test_only_programs_that_are_served_are_offered() -> None:
    served = ["coder-linux-amd64", "genba-darwin-arm64", "genba-linux-amd64", "genba-plan9-mips"]
    assert [each.file for each in list_programs(served)] == ["genba-linux-amd64", "genba-darwin-arm64"]
    assert list_programs([]) == []
