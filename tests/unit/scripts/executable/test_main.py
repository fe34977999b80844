"""Where the interpreter of the executable begins."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from scripts.clone import ROOT


def test_runs_the_packages_beside_it_under_the_executables_own_name(tmp_path: Path) -> None:
    shutil.copy(ROOT / "scripts" / "executable" / "main.py", tmp_path / "main.py")
    package = tmp_path / "site" / "genba_ide_bridge" / "cli"
    package.mkdir(parents=True)
    (package / "main.py").write_text("import sys\ndef main():\n    print(sys.argv)\n    return 7\n")
    for environment, name in (({"GENBA_EXECUTABLE": "/opt/genba"}, "/opt/genba"), ({}, str(tmp_path / "main.py"))):
        done = subprocess.run(
            [sys.executable, "-I", "-S", tmp_path / "main.py", "list"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (7, f"{[name, 'list']}\n"), done.stderr
