from __future__ import annotations

from pathlib import Path

import pytest

from genba_gateway.domain.jobs import StoredJobLog
from genba_gateway.domain.provisioning import JobLogLine, LogLevel, LogSource
from genba_gateway.services.jobs import PAGE_LINES
from genba_gateway.store import jobs as job_store
from genba_gateway.web.workspace import kept_steps
from genba_gateway.web.workspace.dashboard import no_subdomains
from genba_gateway.web.workspace.shown import ShownWorkspaces
from tests.support.dashboard_app import open_dashboard


async def test_a_page_that_asks_again_has_only_new_lines_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_dashboard(tmp_path) as dashboard:
        workshop = dashboard.workshop
        workspace = await workshop.add_workspace(await workshop.add_template(), run=False)
        job_id, jobs = workspace["latest_build"]["job"]["id"], workshop.services.jobs
        counts, list_logs = list[int](), jobs.list_logs

        async def count_lines(
            job_id: str, *, after: int, before: int | None, limit: int | None = None
        ) -> list[StoredJobLog]:
            lines = await list_logs(job_id, after=after, before=before, limit=limit)
            counts.append(len(lines))
            return lines

        async def add(*outputs: str) -> None:
            lines = [
                JobLogLine(workshop.clock(), LogSource.PROVISIONER, LogLevel.INFO, "Apply", output)
                for output in outputs
            ]
            async with workshop.database.write() as connection:
                await job_store.insert_job_logs(connection, job_id, lines)

        monkeypatch.setattr(jobs, "list_logs", count_lines)
        browser, page = dashboard.browser(), "/@mia/dev/builds/1"
        await add(*["noise"] * PAGE_LINES, "box.first: Creating...")
        assert "box.<wbr>first" in await browser.read(page)
        assert counts == [PAGE_LINES, 1]
        counts.clear()
        await add("box.second: Creating...")
        text = await browser.read(page)
        assert "box.<wbr>first" in text
        assert "box.<wbr>second" in text
        assert "box.<wbr>second" in await browser.read("/@mia/dev")
        assert counts == [1, 0]
        counts.clear()
        for other in ("/@mia/dev/builds", "/@mia/dev/settings"):
            await browser.read(other)
        assert counts == []
        shown = ShownWorkspaces(workshop.services, workshop.clock, no_subdomains)
        for expected in ([PAGE_LINES, 2], [0]):
            views = shown.watch(workshop.member.actor, workspace["id"], "en")
            assert [each.address for each in (await anext(views)).steps.resources] == ["box.first", "box.second"]
            await views.aclose()
            assert counts == expected, "who watches a page reads on where others were"
            counts.clear()
        monkeypatch.setattr(kept_steps, "MAX_KEPT", 0)
        assert "box.<wbr>second" in await browser.read(page)
        assert "box.<wbr>second" in await browser.read(page), "one that is not kept is read anew"
