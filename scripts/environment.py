"""Make Genba's environment once for all clones with the same lock, and link it to this clone.

Two parts (docs/decisions/0001-environment.md):

* the shared one, `<cache>/venv-<hash>`, holds the packages of the lock. A stamp in it names each stage that is
  complete: `run`, what the programs need, and `dev`, the checks and tests on top. Without a stamp it is never used.
* the clone's own, `.genba/venv`, holds nothing but paths: to the shared packages and to this clone's four source
  folders. Its `python` is Genba's interpreter, needing no environment variable that could leak into workspaces.

Only the standard library is imported here.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from scripts.failures import ScriptFailure
from scripts.progress import run_step, say

LOCKS: Final = {"run": "requirements-run.lock", "dev": "requirements.lock"}
"""Lock file of each stage; every pin of `run` is in `dev` too, so that the stages share one environment."""

SOURCE_FOLDERS: Final = ("wire", "gateway", "agent", "ide-bridge")

LAUNCHER: Final = """\
#!/bin/sh
# Made by scripts/environment.py: `genba` of this clone, signed in to the gateway of `make run` unless told otherwise.
config={config}
case "${{1-}}" in
    server | agent) ;; # their environment reaches workspaces, where this sign-in has no business
    *) export GENBA_CONFIG_DIR="${{GENBA_CONFIG_DIR:-$config}}" ;;
esac
exec {python} -c 'import sys; sys.argv[0] = "genba"; from genba_ide_bridge.cli.main import main; sys.exit(main())' "$@"
"""


def set_up(root: str, arguments: Sequence[str]) -> None:
    """Make what is missing of a stage's environment; quick when nothing is.

    Raises:
        ScriptFailure: it can't be made; says why and what to do.
    """
    stage = arguments[0] if len(arguments) == 1 else ""
    if stage not in LOCKS:
        raise ScriptFailure(f"usage: scripts/setup.sh {'|'.join(LOCKS)}")
    clone = Path(root)
    shared = cache_folder() / f"venv-{environment_hash(clone)}"
    if not _stamp(shared, stage).exists():
        _make_folder(shared.parent)
        with locked(shared.with_suffix(".lock")):
            if not _stamp(shared, stage).exists():
                _install(clone, shared, stage)
    _link(clone, shared)


def cache_folder() -> Path:
    """Return where environments are kept: `GENBA_CACHE`, or `genba` in the user's cache folder."""
    if chosen := os.environ.get("GENBA_CACHE"):
        return Path(chosen).absolute()
    if xdg := os.environ.get("XDG_CACHE_HOME"):
        return Path(xdg).absolute() / "genba"
    return Path(os.path.expanduser("~")) / ".cache" / "genba"


def environment_hash(clone: Path) -> str:
    """Name what an environment depends on: both locks, the interpreter and its version."""
    digest = hashlib.sha256()
    for lock in LOCKS.values():
        digest.update((clone / lock).read_bytes())
    digest.update(f"{sys.version}\0{sys.base_prefix}\0{sysconfig.get_platform()}".encode())
    return digest.hexdigest()[:16]


def _stamp(shared: Path, stage: str) -> Path:
    return shared / f"genba-{stage}.stamp"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _read_only(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _read_only(folder, PermissionError("no permission to write"))


def _read_only(folder: Path, error: OSError) -> ScriptFailure:
    why = error.strerror or str(error)
    return ScriptFailure(
        f"Genba's environment can't be kept in {folder} ({why}): name a folder that you can write to, "
        f"for example: export GENBA_CACHE=/var/tmp/genba-{os.getuid()}"
    )


@contextmanager
def locked(path: Path) -> Generator[None]:
    """Hold a lock file: what two set-ups need at once is made once."""
    try:
        file = path.open("w")
    except OSError as error:
        raise _read_only(path.parent, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is under way; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(clone: Path, shared: Path, stage: str) -> None:
    if not any(_stamp(shared, other).exists() for other in LOCKS):
        shutil.rmtree(shared, ignore_errors=True)
    log = shared.with_suffix(".log")
    log.unlink(missing_ok=True)
    say(f"setting up Python {sys.version.split()[0]} and the packages of {LOCKS[stage]} in {shared}")
    if not (_install_by_uv(clone, shared, stage, log) or _install_by_pip(clone, shared, stage, log)):
        raise ScriptFailure(
            f"The packages could not be installed ({_last_error(log)}): check the way to PyPI, or its mirror in "
            f"pip's settings, and run it again (all that was said: {log})"
        )
    _stamp(shared, stage).touch()


def _install_by_uv(clone: Path, shared: Path, stage: str, log: Path) -> bool:
    uv = shutil.which("uv")
    if uv is None or subprocess.run([uv, "--version"], capture_output=True, check=False).returncode != 0:
        return False
    python = shared / "bin" / "python"
    base = os.path.join(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    make = [uv, "venv", "--quiet", "--no-project", "--no-python-downloads", "--python", base, str(shared)]
    install = [uv, "pip", "install", "--python", str(python), "--require-hashes", "-r", str(clone / LOCKS[stage])]
    if not python.exists() and run_step("uv makes the environment", make, log=log)[0] != 0:
        say("uv could not make the environment; trying Python's own venv")
        return False
    if run_step("uv installs the packages", install, on_line=_uv_line, log=log)[0] != 0:
        say("uv could not install the packages; trying pip, which has settings of its own")
        return False
    return True


def _uv_line(line: str) -> str | None:
    """Show what uv does, not each of a hundred packages."""
    return None if line.startswith(" + ") else f"  {line}"


def _install_by_pip(clone: Path, shared: Path, stage: str, log: Path) -> bool:
    python = shared / "bin" / "python"
    has_pip = [str(python), "-m", "pip", "--version"]
    if not python.exists() or subprocess.run(has_pip, capture_output=True, check=False).returncode != 0:
        _check_venv_module()
        make = [sys.executable, "-m", "venv", "--clear", str(shared)]
        code, said = run_step("Python makes the environment", make, log=log)
        if code != 0:
            raise ScriptFailure(f"`{shlex.join(make)}` failed ({said[-1] if said else code}): see {log}")
    install = [
        *(str(python), "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"),
        *("--no-compile", "--require-hashes", "-r", str(clone / LOCKS[stage])),
    ]
    return run_step("pip installs the packages", install, on_line=_PipLines(), log=log)[0] == 0


class _PipLines:
    """Shows every tenth package that pip looks at, and what goes wrong."""

    def __init__(self) -> None:
        self._seen = 0

    def __call__(self, line: str) -> str | None:
        if line.startswith(("ERROR", "WARNING: Retrying")):
            return f"  {line}"
        if line.startswith("Installing collected packages"):
            return f"  {self._seen} packages fetched, installing them"
        if line.startswith("Collecting "):
            self._seen += 1
            return f"  {self._seen} packages fetched" if self._seen % 10 == 0 else None
        return None


def _check_venv_module() -> None:
    """Debian and Ubuntu ship Python without what `python -m venv` needs to put pip into an environment."""
    check = [sys.executable, "-c", "import venv, ensurepip"]
    if subprocess.run(check, capture_output=True, check=False).returncode != 0:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ScriptFailure(
            f"Python {version} ({sys.executable}) is here without its venv module: "
            f"sudo apt install python{version}-venv (or install uv, which does without)"
        )


def _last_error(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
    errors = [line.strip() for line in lines if line.lower().lstrip().startswith(("error", "×", "╰─▶"))]
    return (errors or [line.strip() for line in lines if line.strip()] or ["nothing was said"])[-1].rstrip(":. ")


def _link(clone: Path, shared: Path) -> None:
    """Make the clone's own `python` and `genba`, unless they are there and say the same."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = clone / ".genba" / "venv"
    packages = str(shared / "lib" / version / "site-packages")
    sources = [str(clone / folder) for folder in SOURCE_FOLDERS]
    texts = {
        own / "lib" / version / "site-packages" / "genba.pth": "\n".join(
            [*sources, f"import site; site.addsitedir({packages!r})"]
        ),
        clone / ".genba" / "bin" / "genba": LAUNCHER.format(
            config=shlex.quote(str(clone / ".genba" / "config")), python=shlex.quote(str(own / "bin" / "python"))
        ),
    }
    try:
        if not _is_linked(own, texts):
            (clone / ".genba" / "bin").mkdir(parents=True, exist_ok=True)
            with locked(clone / ".genba" / "setup.lock"):
                if not _is_linked(own, texts):
                    _make_link(own, shared, texts)
    except OSError as error:
        why = error.strerror or str(error)
        raise ScriptFailure(
            f"{clone / '.genba'} can't be written ({why}): Genba keeps its data there, so work in a clone that you own"
        ) from error


def _is_linked(own: Path, texts: Mapping[Path, str]) -> bool:
    return (own / "bin" / "python").exists() and all(_holds(path, text) for path, text in texts.items())


def _make_link(own: Path, shared: Path, texts: Mapping[Path, str]) -> None:
    shutil.rmtree(own, ignore_errors=True)
    make = [sys.executable, "-m", "venv", "--without-pip", str(own)]
    made = subprocess.run(make, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        _check_venv_module()
        raise ScriptFailure(f"`{shlex.join(make)}` failed: {made.stdout.strip() or made.stderr.strip()}")
    (own / "tools").symlink_to(shared / "bin")
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8")
    (own.parent / "bin" / "genba").chmod(0o755)


def _holds(path: Path, text: str) -> bool:
    try:
        return path.read_text(encoding="utf-8") == text
    except FileNotFoundError:
        return False
