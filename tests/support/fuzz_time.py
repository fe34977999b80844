"""How long `make soak` fuzzes: read when `tests/conftest.py` is imported, before it removes settings of Genba's."""

from __future__ import annotations

import os
from typing import Final

FUZZ_S: Final = float(os.environ.get("GENBA_FUZZ_S") or 3600)
"""An hour, unless `GENBA_FUZZ_S` says otherwise."""
