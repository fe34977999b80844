"""What holds for every test: a clean environment, a loop that never blocks, no process left behind.

* Variables that steer Genba, Coder, Terraform or pytest's children are removed before anything is imported.
* In async tests a blocking call made by our code fails the test; the exceptions are listed with their reasons.
* At the end no process that a test started may live: it would belong to a test that did not end what it started.
"""

from __future__ import annotations

import functools
import gc
import inspect
import io
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Generator, MutableMapping
from pathlib import Path
from typing import Any, Final

import psutil
import pytest
from blockbuster import BlockBuster, BlockBusterFunction

from tests.support.cli_forks import stop_fork_server
from tests.support.machine_state import MachineState

OUR_PACKAGES: Final = ["genba_wire", "genba_gateway", "genba_agent", "genba_ide_bridge"]
"""A call blocks in our name when one of their frames is on the stack; what a test itself does is not judged."""

SESSION_MARK: Final = "PYTEST_SESSION_MARK"
"""Environment variable that processes inherit, so that those which left their parent are found too."""

GONE_WITHIN_S: Final = 3.0
"""Processes that were told to end get this long at the end of the session."""

_STEERING: Final = ("CODER_", "GENBA_", "TF_", "MAKE", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE")

LEFT_KEY: Final = "left_processes"

_MACHINE: Final = pytest.StashKey[MachineState]()

_left: list[str] = []


def remove_steering_variables(environment: MutableMapping[str, str]) -> None:
    """Remove what would make programs under test behave as this machine's owner set them up."""
    for name in list(environment):
        if name.startswith(_STEERING) or name in ("CODER", "MFLAGS"):
            del environment[name]


def restore_signals() -> None:
    """Undo what `nohup` or a shell's `&` made this process and all its children ignore."""
    for number, handler in ((signal.SIGHUP, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


restore_signals()
remove_steering_variables(os.environ)
os.environ[SESSION_MARK] = uuid.uuid4().hex
gc.disable()  # until the tests are collected: nearly all that this makes stays


def pytest_collection_finish() -> None:
    """Let the collector leave out what stays until the end anyway: half a million objects."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def clean_environment() -> None:
    """Fail a test that would run with another one's settings in the environment."""
    left = [name for name in os.environ if name.startswith(("CODER_", "GENBA_", "TF_CLI_CONFIG_FILE"))]
    assert not left, f"an earlier test left {left} in the environment: use monkeypatch.setenv"


@pytest.fixture(scope="session", autouse=True)
def fork_server_ends() -> Generator[None]:
    """End the process that calls of the command line are forked from."""
    yield
    stop_fork_server()


@pytest.fixture
def short_dir() -> Generator[Path]:
    """An empty folder whose path leaves room for a unix socket's name (107 bytes in all)."""
    path = Path(tempfile.mkdtemp(prefix="g-", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def blocking_calls_fail(request: pytest.FixtureRequest) -> Generator[None]:
    """Make a call that blocks the event loop raise in our code; for async tests only."""
    function: object = getattr(request.node, "obj", None)
    if not inspect.iscoroutinefunction(inspect.unwrap(function) if callable(function) else function):
        yield
        return
    guard = _guard()
    guard.activate()
    try:
        yield
    finally:
        guard.deactivate()


@functools.cache
def _guard() -> BlockBuster:
    guard = BlockBuster(scanned_modules=OUR_PACKAGES)
    _allow_what_does_not_wait(guard)
    return guard


def _allow_what_does_not_wait(guard: BlockBuster) -> None:
    """List what is safe although it looks like blocking."""
    for name in ("io.BufferedReader.read", "io.TextIOWrapper.read"):
        # /proc is the kernel's memory: psutil reads it for stats and for finding processes.
        _allow(guard.functions[name], _reads_proc)
    for name in ("os.stat", "os.listdir", "os.readlink", "os.access"):
        _allow(guard.functions[name], _names_proc)
    # Modules that only some requests need are imported when first used (design.md), which reads files once.
    for function in guard.functions.values():
        function.can_block_in("<frozen importlib._bootstrap>", {"_find_and_load"})
    # It asks for the working directory, which no disk is read for; SQLAlchemy and Flask do so when they are set up.
    guard.functions["os.path.abspath"].can_block_predicate = lambda *_, **__: True
    # The databases of these tests are files that were just written (tests/support/inline_sqlite.py).
    for name, function in guard.functions.items():
        if name.startswith("sqlite3."):
            function.can_block_in("tests/support/inline_sqlite.py", {"put_nowait"})
    # The time zone database is read once per zone and kept.
    guard.functions["os.stat"].can_block_in("zoneinfo/_tzpath.py", {"find_tzfile"})
    guard.functions["io.BufferedReader.read"].can_block_in("zoneinfo/_common.py", {"load_tzdata", "load_data"})


def _allow(function: BlockBusterFunction, more: Callable[..., bool]) -> None:
    before = function.can_block_predicate

    def predicate(*args: Any, **kwargs: Any) -> bool:
        return before(*args, **kwargs) or more(*args, **kwargs)

    function.can_block_predicate = predicate


def _reads_proc(file: io.IOBase, *_: object, **__: object) -> bool:
    return str(getattr(file, "name", "")).startswith(("/proc", "/sys"))


def _names_proc(path: object = "", *_: object, **__: object) -> bool:
    return isinstance(path, str | bytes | Path) and os.fsdecode(path).startswith(("/proc", "/sys"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look at the machine before the test, to say with a failure what it had to do meanwhile."""
    item.stash[_MACHINE] = MachineState()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say with a failure how busy the machine was: a wait that ran out may be due to that."""
    report = yield
    if report.failed and _MACHINE in item.stash:
        report.sections.append(("the machine during the test", item.stash[_MACHINE].describe()))
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Look for processes that tests left; in a worker of xdist, tell the controller."""
    if hasattr(session.config, "workerinput"):
        session.config.workeroutput[LEFT_KEY] = _left_processes()  # type: ignore[attr-defined]  # xdist's
        return
    if not session.config.getoption("numprocesses", None):
        _left.extend(_left_processes())
    if _left:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take over what a worker of xdist found."""
    _left.extend(getattr(node, "workeroutput", {}).get(LEFT_KEY, []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the processes that make the session fail."""
    if _left:
        terminalreporter.section("processes that tests did not end", red=True)
        for line in _left:
            terminalreporter.line(line)


def _left_processes() -> list[str]:
    """Return what still lives of this session's processes after a moment, and end it."""
    mine = psutil.Process()
    found = {process.pid: process for process in mine.children(recursive=True)}
    for process in psutil.process_iter():
        if process.pid != mine.pid and _carries_mark(process):
            found[process.pid] = process
    _, alive = psutil.wait_procs(list(found.values()), timeout=GONE_WITHIN_S)
    lines: list[str] = []
    for process in alive:
        try:
            lines.append(f"{process.pid} {' '.join(process.cmdline()) or process.name()}")
            process.kill()
        except psutil.NoSuchProcess:
            continue
    return lines


def _carries_mark(process: psutil.Process) -> bool:
    try:
        return process.environ().get(SESSION_MARK) == os.environ[SESSION_MARK]
    except psutil.Error:
        return False
