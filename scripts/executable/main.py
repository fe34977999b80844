"""Where the interpreter of the executable begins: `genba` with the packages beside this file."""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "site"))
sys.argv[0] = os.environ.get("GENBA_EXECUTABLE", sys.argv[0])

from genba_ide_bridge.cli.main import main  # noqa: E402  # the path comes first

sys.exit(main())
