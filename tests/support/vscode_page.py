"""VS Code in a browser as its user sees it: the view of Genba, dialogs, panels, terminals."""

from __future__ import annotations

import re
from typing import Final

from playwright.async_api import Locator, Page, expect
from playwright.async_api import TimeoutError as PlaywrightTimeout

COMMAND_TRIES: Final = 12
LISTED_MS: Final = 15_000
"""The palette's list is made when it opens, and is not made anew when another command comes."""


class VsCodePage:
    """A page with a workbench in it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    async def open_genba_view(self) -> None:
        """Click Genba's icon in the activity bar."""
        await self.page.locator(".activitybar a[aria-label^='Genba']").click()

    async def expect_row(self, label: str) -> Locator:
        """Wait until the tree has a row that is read out like this."""
        found = self.page.locator(f"[role='treeitem'][aria-label^={quote(label)}]")
        await expect(found).to_be_visible()
        return found

    async def press_row_button(self, label: str, button: str) -> None:
        """Press a button that shows on a row while the pointer is over it."""
        row = await self.expect_row(label)
        await row.hover()
        await row.locator(f"a[aria-label^={quote(button)}]").click()

    async def expect_notification(self, text: str) -> Locator:
        """Wait until a notification says this."""
        found = self.page.locator(".notification-list-item").filter(has_text=text)
        await expect(found).to_be_visible()
        return found

    async def expect_dialog(self, text: str) -> None:
        """Wait until the dialog in front says this."""
        await expect(self.page.locator(".monaco-dialog-box")).to_contain_text(text)

    async def answer_dialog(self, button: str) -> None:
        """Press a button of the dialog in front."""
        dialog = self.page.locator(".monaco-dialog-box")
        await dialog.get_by_role("button", name=button, exact=True).click()

    async def answer_input(self, prompt: str, text: str) -> None:
        """Type into the input box that says this, and press Enter."""
        box = self.page.locator(".quick-input-widget").filter(has_text=prompt)
        await expect(box).to_be_visible()
        await box.locator("input").last.fill(text)
        await box.locator("input").last.press("Enter")

    async def run_command(self, title: str) -> None:
        """Run a command from the palette, as soon as it lists it: some come when the workbench is at its server."""
        box = self.page.locator(".quick-input-widget input[type='text']")
        found = self.page.locator(".quick-input-list [role='option']").filter(has_text=title).first
        tries = 0
        while True:
            tries += 1
            await self.page.keyboard.press("F1")
            await box.fill(f">{title}")
            try:
                await found.click(timeout=LISTED_MS)
                return
            except PlaywrightTimeout:
                if tries == COMMAND_TRIES:
                    raise
                await self.page.keyboard.press("Escape")

    async def expect_status(self, text: str) -> None:
        """Wait until Genba's item of the status bar says this."""
        item = self.page.locator("[id='genba.genba.genba.status'], .statusbar-item[id$='genba.status']")
        await expect(item).to_contain_text(text)

    async def expect_output(self, text: str) -> None:
        """Wait until the output panel shows a line with this."""
        lines = self.page.locator(".panel .view-line").filter(has_text=re.compile(as_shown(text)))
        await expect(lines.first).to_be_visible()

    async def expect_terminal(self, text: str, *, is_there: bool = True) -> None:
        """Wait until a row of the terminal's screen shows this, or none does."""
        rows = self.page.locator(".terminal-wrapper.active .xterm-rows > div")
        row = rows.filter(has_text=re.compile(as_shown(text))).first
        await expect(row).to_be_visible(visible=is_there)

    async def expect_prompt(self) -> None:
        """Wait until the terminal's shell asks for a line.

        What is typed before is taken, but a shell that begins may draw its prompt over what was printed for it.
        """
        rows = self.page.locator(".terminal-wrapper.active .xterm-rows > div")
        await expect(rows.filter(has_text=re.compile(r"[#$%>][\s\u00a0]*$")).first).to_be_visible()

    async def type_in_terminal(self, line: str) -> None:
        """Type a line into the terminal that is shown, and press Enter."""
        await self.page.locator(".terminal-wrapper.active .xterm-screen").click()
        # VS Code gives the focus away later: on a busy machine the first keys would be lost.
        await expect(self.page.locator(".terminal-wrapper.active textarea.xterm-helper-textarea")).to_be_focused()
        await self.page.keyboard.type(line)
        await self.page.keyboard.press("Enter")


def quote(text: str) -> str:
    """A string of CSS."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def as_shown(text: str) -> str:
    """A pattern for text in an editor or a terminal, whose spaces may be unbreakable ones."""
    return r"[\s\u00a0]".join(re.escape(word) for word in text.split(" "))
