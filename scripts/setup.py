"""Make the environment and link it to this clone: `python scripts/setup.py run|dev`.

This module must be parsed by any Python, down to 2.7, so that it can say which one Genba needs; everything else is
imported after that.
"""

import os
import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is the one place that meets older ones
    sys.stderr.write(
        "Genba needs Python 3.11 or later and this is %d.%d: run `sh scripts/setup.sh`, which looks for a later one, "  # noqa: UP031
        "or install it (Debian 12, Ubuntu 24.04 or later: sudo apt install python3 python3-venv)\n"
        % sys.version_info[:2]
    )
    sys.exit(1)

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[0] = ROOT

from scripts.environment import set_up  # noqa: E402
from scripts.failures import exit_with_sentence  # noqa: E402

if __name__ == "__main__":
    with exit_with_sentence():
        set_up(ROOT, sys.argv[1:])
