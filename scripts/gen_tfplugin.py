"""Make `tfplugin6_pb2.py` and `.pyi` from `tfplugin6.proto`; `--check` says whether they are stale.

Needs grpcio-tools (a development dependency); the results are checked in, so that nobody else needs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

PROVIDER = Path(__file__).resolve().parent.parent / "gateway" / "genba_gateway" / "provider"
GENERATED = ("tfplugin6_pb2.py", "tfplugin6_pb2.pyi")


def generate(target: Path) -> None:
    """Write the generated modules into `target`."""
    options = [f"--proto_path={PROVIDER}", f"--python_out={target}", f"--pyi_out={target}"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *options, "tfplugin6.proto"]
    subprocess.run(command, check=True)


def find_stale() -> list[str]:
    """Name the checked-in modules that differ from what the .proto file gives."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        return [
            name
            for name in GENERATED
            if not (PROVIDER / name).exists() or (PROVIDER / name).read_bytes() != (Path(folder) / name).read_bytes()
        ]


def main(arguments: list[str]) -> int:
    """Generate, or with `--check` compare; returns the exit code."""
    if arguments == ["--check"]:
        stale = find_stale()
        for name in stale:
            print(f"{name} is stale: run scripts/gen_tfplugin.py", file=sys.stderr)
        return 1 if stale else 0
    if arguments:
        print("usage: gen_tfplugin.py [--check]", file=sys.stderr)
        return 2
    generate(PROVIDER)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
