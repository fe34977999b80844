"""The bridge starts where Unix's modules, and Unix's way to hear signals, are absent, as on Windows."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

CODE = """
import asyncio, sys
for name in ("fcntl", "termios", "tty", "pty", "pwd", "grp", "resource"):
    sys.modules[name] = None
sys.modules.pop("getpass", None)

def add_signal_handler(*_):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = add_signal_handler
from genba_ide_bridge.cli.main import main
sys.exit(main(["bridge", "--stdio"]))
"""


async def test_the_bridge_serves_without_the_modules_of_unix(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CODE),
        env={"HOME": str(tmp_path), "PYTHONWARNINGS": "error"},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "genba/session"}).encode()
    shutdown = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}).encode()
    end = json.dumps({"jsonrpc": "2.0", "method": "exit"}).encode()
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    async with asyncio.timeout(30):
        answer = (await process.stdout.readuntil(b"\r\n\r\n"), await process.stdout.readuntil(b"}}"))
        assert b'"signedIn": false' in answer[1]
        for message in (shutdown, end):
            process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(message), message))
        out, err = await process.communicate()
    assert b'"result": null' in out
    assert (process.returncode, err.decode()) == (0, "")
