"""The command line runs where Unix's modules are absent, as on Windows."""

from __future__ import annotations

import asyncio
import sys

CODE = """
import asyncio, pkgutil, sys, importlib
for name in ("termios", "tty", "pwd", "grp", "resource"):
    sys.modules[name] = None
sys.modules.pop("getpass", None)
import genba_ide_bridge
for module in pkgutil.walk_packages(genba_ide_bridge.__path__, "genba_ide_bridge."):
    if ".lsp" not in module.name:
        importlib.import_module(module.name)
        print(module.name)
from genba_ide_bridge.cli.main import main
sys.exit(main(["create", "--help"]))
"""


async def test_all_modules_are_imported_without_the_modules_of_unix() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CODE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert (process.returncode, err.decode()) == (0, "")
    assert "genba_ide_bridge.cli.commands.logs\n" in out.decode()
