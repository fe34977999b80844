"""Start a gateway as a child that outlives nobody, and stop it as Ctrl-C would."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from scripts.failures import ScriptFailure
from scripts.progress import Ticker, say

PR_SET_PDEATHSIG: Final = 1
"""prctl: a signal for us when our parent dies, so that a killed script leaves no gateway behind."""

HEALTHY_WITHIN_S: Final = 90.0
"""A gateway is healthy after about a second; on a first start with a slow disk it migrates its database first."""

POLL_S: Final = 0.05

SENTENCE_MARK: Final = "genba server: "
"""What the gateway puts before its reason not to start; libraries may have a word after it."""


def client_environment(base: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without anything that would steer a Genba or Coder program elsewhere."""
    return {
        name: value
        for name, value in base.items()
        if name == "GENBA_CACHE" or not name.startswith(("CODER_", "GENBA_", "PYTHON"))
    }


def split_listen(listen: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises:
        ScriptFailure: it is neither.
    """
    host, colon, port = listen.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ScriptFailure(f"{listen} is no address to listen on: write HOST:PORT, for example 127.0.0.1:3001")
    return host.strip("[]") or "0.0.0.0", int(port)


def check_port_is_free(listen: str) -> None:
    """Refuse early and by name what the gateway could only refuse later.

    Raises:
        ScriptFailure: another program listens there, or this machine does not have the address.
    """
    host, port = split_listen(listen)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except UnicodeError as error:  # a name with an empty or endless part
        raise ScriptFailure(
            f"{host} is no name of this machine: write HOST:PORT, for example 127.0.0.1:3001"
        ) from error
    except OSError as error:
        raise ScriptFailure(
            f"Port {port} on {host} is not to be had ({error.strerror or error}): end the program that listens there, "
            f"or choose another port: make run PORT={port + 1 if port < 65535 else 3001}"
        ) from error


def find_free_port() -> int:
    """Return a loopback port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class GatewayProcess:
    """One running `genba server`. Use as a context manager: leaving it stops the gateway."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, log: Path, log_start: int) -> None:
        self.process = process
        self.url = url
        self._log = log
        self._log_start = log_start

    @classmethod
    def start(
        cls,
        genba: Path,
        *,
        listen: str,
        data_dir: Path,
        bin_dir: Path | None,
        log: Path,
        environment: Mapping[str, str],
    ) -> Self:
        """Start a gateway that may run host workspaces; what it says goes to the file `log`."""
        host, port = split_listen(listen)
        argv = [str(genba), "server", "--listen", listen, "--data-dir", str(data_dir), "--allow-host-workspaces"]
        if bin_dir is not None:
            argv += ["--bin-dir", str(bin_dir)]
        with log.open("ab") as output:
            start = output.tell()
            # A session of its own keeps the terminal's Ctrl-C from it: it gets its one SIGINT from stop().
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_die_with(os.getpid()),  # safe: these scripts have one thread
            )
        reachable = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host
        return cls(process, f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}", log, start)

    def wait_until_healthy(self) -> None:
        """Wait for /healthz.

        Raises:
            ScriptFailure: the gateway ended, with what it said last, or did not become healthy in time.
        """
        ticker = Ticker("the gateway starts")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + HEALTHY_WITHIN_S
        while time.monotonic() < deadline:
            self.check_alive()
            try:
                with opener.open(f"{self.url}/healthz", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            ticker.tick()
            time.sleep(POLL_S)
        raise ScriptFailure(f"The gateway was not healthy within {HEALTHY_WITHIN_S:.0f} s: see {self._log}")

    def check_alive(self) -> None:
        """Raise when the gateway has ended.

        Raises:
            ScriptFailure: with what it said last.
        """
        code = self.process.poll()
        if code is not None:
            raise ScriptFailure(self._last_words() or f"The gateway ended with exit code {code}: see {self._log}")

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode("utf-8", "replace").splitlines()
        return last_words(lines)

    def stop(self) -> int:
        """Send one SIGINT and wait for the end; a second Ctrl-C meanwhile kills. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        ticker = Ticker("the gateway finishes what it does (Ctrl-C once more kills it)")
        while True:
            try:
                return self.process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                ticker.tick()
            except KeyboardInterrupt:
                say("killing the gateway; a build it was in is marked failed at the next start")
                self.process.kill()
                return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def last_words(lines: Sequence[str]) -> str:
    """Return why a gateway ended: its own sentence wherever it stands, else the last line that says anything."""
    said = [line.strip() for line in lines if line.strip()]
    sentences = [line for line in said if line.startswith(SENTENCE_MARK)]
    return next(reversed(sentences or said), "")


def _die_with(parent: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)

    def in_child() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)

    return in_child
