from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from markupsafe import Markup

from genba_gateway.domain.templates import TemplateVersion
from genba_gateway.web import read_mes
from genba_gateway.web.read_mes import MAX_KEPT, MAX_README_CHARS, ReadMes
from tests.support.dashboard_app import Dashboard


async def make_version(dashboard: Dashboard) -> TemplateVersion:
    template = await dashboard.workshop.add_template()
    actor = dashboard.workshop.owner.actor
    return await dashboard.workshop.services.template_versions.get(actor, template["active_version_id"])


async def test_a_long_read_me_is_cut(dashboard: Dashboard) -> None:
    version = await make_version(dashboard)
    for length, is_cut in ((MAX_README_CHARS, False), (MAX_README_CHARS + 1, True)):
        shown = await ReadMes().read(replace(version, readme="x" * length))
        assert shown.is_cut is is_cut
        assert shown.html.count("x") == MAX_README_CHARS


async def test_a_read_me_is_rendered_once_and_not_in_the_loops_thread(
    dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, threads = await make_version(dashboard), list[int]()

    def render(text: str) -> Markup:
        threads.append(threading.get_ident())
        return Markup("")

    monkeypatch.setattr(read_mes, "render_markdown", render)
    shown = ReadMes()
    for _ in range(2):
        await shown.read(version)
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    for number in range(MAX_KEPT):
        await shown.read(replace(version, id=str(number)))
    await shown.read(version)
    assert len(threads) == MAX_KEPT + 2, "the one longest not asked for was given up"
