"""The program that keeps a host workspace's agent running. `host_runs` finds such programs and their children.

    python -IS host_supervisor.py RUN_DIRECTORY  < `Order` as text

It outlives the gateway: launched in a session of its own, it forks once more, so that it is nobody's child. Then

* it holds a lock on RUN_DIRECTORY/lock for life. F_GETLK tells anyone the holder's pid, so that there is no pid file,
  and a pid that the kernel gave to somebody else is never taken for it;
* it is a child subreaper: whatever the agent starts stays its descendant, even daemons that fork away;
* its environment, which all of them inherit, has a marker. When the supervisor itself was killed, they are found by it.

SIGTERM ends all: the agent gets SIGTERM and its grace, then the rest gets SIGTERM, after a second SIGKILL. A second
SIGTERM cuts the grace short. An agent that fails is started again, after a pause that grows; one that ends with 0 is
done, and so is the supervisor. Standard library only, and few modules of it, since it has to start quickly.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator

MARKER = "GENBA_HOST_RUN"
LOCK_FILE = "lock"

KILL_AFTER_S = 1.0
# A process in an uninterruptible call can't be killed; don't wait for it for ever.
GIVE_UP_AFTER_S = 10.0
FIRST_RESTART_PAUSE_S = 0.5
LONGEST_RESTART_PAUSE_S = 30.0
# An agent that ran for this long was well: the next pause is the first one again.
WELL_AFTER_S = 60.0
MAX_LOG_BYTES = 10 << 20

PR_SET_CHILD_SUBREAPER = 36


def list_descendants(ancestor: int) -> list[int]:
    """Give the pids of a process's children, their children and so on; zombies too."""
    children: dict[int, list[int]] = {}
    for pid in list_pids():
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The name in parentheses may hold anything, so count from its end: state, parent.
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        children.setdefault(parent, []).append(pid)
    found: list[int] = []
    pending = [ancestor]
    while pending:
        for pid in children.get(pending.pop(), ()):
            found.append(pid)
            pending.append(pid)
    return found


def list_pids() -> Iterator[int]:
    """Give the pids of all processes."""
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


class Order:
    """What to run: `command` in `cwd`, its output to `log`; `grace_s` is its time to end."""

    def __init__(self, cwd: str, log: str, grace_s: float, command: list[str]) -> None:
        self.cwd = cwd
        self.log = log
        self.grace_s = grace_s
        self.command = command

    def to_text(self) -> str:
        """Write it for `from_text`: fields between zero bytes, since json takes long to import."""
        return "\0".join((self.cwd, self.log, str(self.grace_s), *self.command))

    @classmethod
    def from_text(cls, text: str) -> Order:
        """Read it; raises ValueError when it broke off."""
        cwd, log, grace_s, *command = text.split("\0")
        return cls(cwd, log, float(grace_s), command)


class Supervisor:
    """Runs one agent to its end."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._agent: int | None = None
        self._started_at = 0.0
        self._pause_s = FIRST_RESTART_PAUSE_S

    def spawn(self) -> None:
        """Start the agent with its output going to the log."""
        log = self._order.log
        if os.path.exists(log) and os.path.getsize(log) > MAX_LOG_BYTES:
            os.replace(log, f"{log}.1")
        actions = (
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        )
        command = self._order.command
        self._agent = os.posix_spawnp(
            command[0],
            command,
            os.environ,
            file_actions=actions,
            setpgroup=0,
            setsigmask=(),
            setsigdef=(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGHUP),
        )
        self._started_at = time.monotonic()

    def run(self) -> None:
        """Wait for the agent, start it again when it fails, end all when told to."""
        restart_at: float | None = None
        while True:
            heard = _wait_for_signal(None if restart_at is None else restart_at - time.monotonic())
            if heard == signal.SIGTERM:
                break
            status = self._reap()
            if status == 0:
                break
            if status is not None:
                restart_at = self._plan_restart(status)
            if restart_at is not None and restart_at <= time.monotonic():
                restart_at = None if self._respawn() else self._plan_restart(127)
        self.end()

    def end(self) -> None:
        """End the agent, then all that it left behind."""
        if self._agent is not None:
            _signal_all([self._agent], signal.SIGTERM)
        grace_ends_at = time.monotonic() + self._order.grace_s
        while self._agent is not None and (left := grace_ends_at - time.monotonic()) > 0:
            if _wait_for_signal(left) == signal.SIGTERM:
                break
            self._reap()
        began_at = time.monotonic()
        _signal_all(list_descendants(os.getpid()), signal.SIGTERM)
        while self._has_children() and time.monotonic() - began_at < GIVE_UP_AFTER_S:
            if time.monotonic() - began_at >= KILL_AFTER_S:
                _signal_all(list_descendants(os.getpid()), signal.SIGKILL)
            _wait_for_signal(0.05)

    def _plan_restart(self, status: int) -> float:
        now = time.monotonic()
        if now - self._started_at >= WELL_AFTER_S:
            self._pause_s = FIRST_RESTART_PAUSE_S
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, LONGEST_RESTART_PAUSE_S)
        how = f"with status {status}" if status >= 0 else f"by signal {-status}"
        self._note(f"genba: the agent ended {how}; it is started again in {pause_s:g} s\n")
        return now + pause_s

    def _respawn(self) -> bool:
        try:
            self.spawn()
        except OSError as error:
            self._note(f"genba: the agent can't be started: {error}\n")
            return False
        return True

    def _note(self, text: str) -> None:
        # A full disk must not end the supervisor.
        try:
            with open(self._order.log, "a") as file:
                file.write(text)
        except OSError:
            return

    def _reap(self) -> int | None:
        """Collect ended children; give the agent's exit code (negative: its signal) if it is among them."""
        result: int | None = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return result
            if pid == 0:
                return result
            if pid == self._agent:
                self._agent = None
                result = os.waitstatus_to_exitcode(status)

    def _has_children(self) -> bool:
        self._reap()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return False
        return True


def _wait_for_signal(timeout_s: float | None) -> int | None:
    """Wait for SIGTERM or a child's end; both are blocked, so that none is lost between two waits."""
    signals = (signal.SIGTERM, signal.SIGCHLD)
    if timeout_s is None:
        return signal.sigwaitinfo(signals).si_signo
    heard = signal.sigtimedwait(signals, max(timeout_s, 0))
    return None if heard is None else heard.si_signo


def _signal_all(pids: list[int], number: signal.Signals) -> None:
    """Signal descendants; they are ours to collect, so that a pid can't have passed to another process."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            continue


def _become_subreaper() -> None:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel refuses to make a child subreaper")


def _supervise(run_directory: str, order: Order) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGCHLD))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor = Supervisor(order)
    try:
        lock = os.open(os.path.join(run_directory, LOCK_FILE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _become_subreaper()
        os.umask(0o022)
        os.chdir(order.cwd)
        supervisor.spawn()
    except OSError as error:
        os.write(1, f"error {error}\n".encode())
        return
    try:
        os.write(1, f"ready {os.getpid()}\n".encode())
    except OSError:
        # Whoever ordered this is gone and will not remember it.
        supervisor.end()
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)
    supervisor.run()


def main() -> None:
    """Read the order, leave the launcher, supervise."""
    order = Order.from_text(sys.stdin.read())
    if os.fork() == 0:
        _supervise(sys.argv[1], order)
    # Nothing to flush or to tidy, here and in the child.
    os._exit(0)


if __name__ == "__main__":
    main()
