"""code-server in a browser: its explorer, editor and terminal."""

from __future__ import annotations

import re

from playwright.async_api import expect

from tests.support.vscode_page import VsCodePage, as_shown


class Workbench(VsCodePage):
    """code-server as its user sees it."""

    async def expect_ready(self) -> None:
        """Wait until files are shown."""
        await expect(self.page.locator(".explorer-folders-view .monaco-list-row").first).to_be_visible()

    async def open_file(self, name: str) -> None:
        """Open a file from the explorer."""
        await (await self.expect_row(name)).dblclick()
        await expect(self.page.locator(".tabs-container .tab").filter(has_text=name)).to_be_visible()

    async def type_at_end(self, text: str) -> None:
        """Add text at the end of the file that is shown, and save it."""
        await self.page.locator(".monaco-editor .view-lines").first.click()
        await self.page.keyboard.press("Control+End")
        await self.page.keyboard.type(text)
        await self.page.keyboard.press("Control+s")

    async def expect_line(self, text: str) -> None:
        """Wait until the editor shows a line with this."""
        lines = self.page.locator(".editor-container .view-line").filter(has_text=re.compile(as_shown(text)))
        await expect(lines.first).to_be_visible()
