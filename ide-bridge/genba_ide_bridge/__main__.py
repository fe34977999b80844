"""`python -m genba_ide_bridge …` is `genba …`, for editors that found a Python but no `genba` on PATH."""

from __future__ import annotations

import sys

from genba_ide_bridge.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
