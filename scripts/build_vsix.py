"""Pack the VS Code extension: `python -m scripts.build_vsix [--out FILE]`; prints the path of the .vsix."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from scripts.clone import ROOT
from scripts.environment import locked
from scripts.extension_tools import EXTENSION, install_packages, local_tool, run_tool
from scripts.failures import exit_with_sentence


def build_vsix(target: Path | None = None) -> Path:
    """Bundle and pack the extension; returns the file.

    Raises:
        ScriptFailure: Node is absent, or a step failed; says which.
    """
    install_packages()
    version = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))["version"]
    target = target or ROOT / "dist" / f"genba-{version}.vsix"
    target.parent.mkdir(parents=True, exist_ok=True)
    pack = [local_tool("vsce"), "package", "--no-dependencies", "--allow-missing-repository", "--out", str(target)]
    with locked(EXTENSION / "node_modules" / ".genba-vsix.lock"):  # what is packed lies in the clone for that time
        run_tool(["node", "esbuild.mjs", "--production"], doing="Bundling the extension")
        # Packed with it, as the licence asks for; the clone keeps one copy, at its root.
        shutil.copyfile(ROOT / "LICENSE", EXTENSION / "LICENSE")
        run_tool(pack, doing="Packing the extension")
    return target


def main() -> None:
    """Read the command line and pack."""
    parser = argparse.ArgumentParser(description="Pack the VS Code extension.")
    parser.add_argument("--out", type=Path, help="the file to write (dist/genba-VERSION.vsix)")
    arguments = parser.parse_args()
    out: Path | None = arguments.out
    with exit_with_sentence():
        print(build_vsix(out.resolve() if out else None))


if __name__ == "__main__":
    main()
