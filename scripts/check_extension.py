"""Check the VS Code extension's code: format, lint, types. Where there is no Node it says so and passes.

Nothing else of Genba needs Node, so its absence must not keep anybody from checking the rest.
"""

from __future__ import annotations

import sys
from typing import Final

from scripts.extension_tools import NodeMissing, check_node, install_packages, local_tool, run_tool
from scripts.failures import exit_with_sentence

CHECKS: Final = {
    "prettier": ["--check", "--log-level=warn", "."],
    "eslint": ["--max-warnings=0", "."],
    "tsc": ["--noEmit"],
}
"""Tool of node_modules, and its arguments."""


def check_extension() -> None:
    """Run the checks.

    Raises:
        NodeMissing: there is no Node to run them with.
        ScriptFailure: one found something.
    """
    install_packages()
    for tool, arguments in CHECKS.items():
        run_tool([local_tool(tool), *arguments], doing=tool)


def main() -> None:
    """Check, or say why not."""
    try:
        check_node()
    except NodeMissing as missing:
        print(f"The VS Code extension was not checked. {missing}", file=sys.stderr)
        return
    with exit_with_sentence():
        check_extension()


if __name__ == "__main__":
    main()
