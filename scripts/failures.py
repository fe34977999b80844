"""How the scripts fail: one sentence with the remedy, and exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager


class ScriptFailure(Exception):
    """Something that the person in front of the terminal can mend; the message names the thing and the remedy."""


@contextmanager
def exit_with_sentence() -> Generator[None]:
    """Turn a `ScriptFailure` into its sentence on stderr and exit code 1; Ctrl-C into exit code 130."""
    try:
        yield
    except ScriptFailure as failure:
        sys.stdout.flush()
        print(failure, file=sys.stderr, flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr, flush=True)
        sys.exit(130)
