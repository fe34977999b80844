"""`make bench`: runs the benchmarks whose figures match ONLY, and exits 0 when every figure was measured."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

from bench import (
    agent,
    apps,
    browser,
    build,
    cli,
    gateway,
    logs,
    pages,
    pty,
    recover,
    relay,
    relay_hop,
    relay_load,
    resume,
    revoke,
    ssh,
)
from bench.figures import Benchmark, note

BENCHMARKS: tuple[Benchmark, ...] = (
    agent.BENCHMARK,
    apps.BENCHMARK,
    browser.BENCHMARK,
    gateway.BENCHMARK,
    cli.BENCHMARK,
    build.BENCHMARK,
    logs.BENCHMARK,
    pages.BENCHMARK,
    pty.BENCHMARK,
    recover.BENCHMARK,
    relay.BENCHMARK,
    relay_hop.BENCHMARK,
    relay_load.BENCHMARK,
    revoke.BENCHMARK,
    resume.BENCHMARK,
    ssh.BENCHMARK,
)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--only", default="", help="a regular expression that is searched in the figures' names")
    only = parser.parse_args().only
    wanted = [benchmark for benchmark in BENCHMARKS if benchmark.is_wanted(only)]
    if not wanted:
        note(f"ONLY={only} matches no figure: {', '.join(f for b in BENCHMARKS for f in b.figures)}")
        return 2
    failed = 0
    for benchmark in wanted:
        # Short: a workspace's unix sockets are below it, and their paths may have 107 bytes.
        folder = Path(tempfile.mkdtemp(prefix="genba-b-"))
        try:
            for figure in asyncio.run(benchmark.measure(folder)):
                figure.print()
        except Exception:  # noqa: BLE001  # the edge: one benchmark that fails must not hide the others
            failed += 1
            note(f"{', '.join(benchmark.figures)} could not be measured:\n{traceback.format_exc()}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
