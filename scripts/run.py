"""`make run`: a gateway on this machine, its first admin, and the workspace `demo`, served until Ctrl-C."""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from scripts.api_session import ApiSession
from scripts.build_agent import prepare_executable
from scripts.clone import GENBA, IN_CLONE, STARTER, RunFolders
from scripts.demo_workspace import DESCRIPTION, TEMPLATE, WORKSPACE, push_starter, start_demo
from scripts.failures import ScriptFailure, exit_with_sentence
from scripts.first_admin import USERNAME, sign_in_admin
from scripts.gateway_process import GatewayProcess, check_port_is_free, client_environment, split_listen
from scripts.genba_command import GenbaCommand
from scripts.progress import say
from scripts.terminal_foreground import own_foreground

NEXT_COMMANDS = f"""\
  .genba/bin/genba list                what you have
  .genba/bin/genba show {WORKSPACE}           its resources and agents
  .genba/bin/genba logs -f {WORKSPACE}        what is printed in it, as it comes
  .genba/bin/genba terminal {WORKSPACE}       a shell in it; ~. on a new line leaves
  .genba/bin/genba stop {WORKSPACE}           end its processes; `start {WORKSPACE}` brings it back
  .genba/bin/genba create second --template {TEMPLATE}
  .genba/bin/genba delete {WORKSPACE}"""


def main(arguments: list[str]) -> None:
    """Serve until Ctrl-C; a second run goes on with the same data.

    Raises:
        ScriptFailure: something is missing or in the way.
    """
    parser = argparse.ArgumentParser(prog="make run")
    parser.add_argument("--listen", default="127.0.0.1:3000", metavar="HOST:PORT")
    listen: str = parser.parse_args(arguments).listen
    check_platform(platform.system())
    with _only_run(IN_CLONE):
        check_port_is_free(listen)
        _warn_about_host_workspaces(listen)
        environment = client_environment(os.environ)
        bin_dir = prepare_executable()
        say(f"the gateway starts on {listen}; what it says is in {_short(IN_CLONE.log)}")
        with GatewayProcess.start(
            GENBA, listen=listen, data_dir=IN_CLONE.data, bin_dir=bin_dir, log=IN_CLONE.log, environment=environment
        ) as gateway:
            try:
                _main_job(gateway, GenbaCommand(GENBA, IN_CLONE.config, environment))
                _serve(gateway)
            except KeyboardInterrupt:
                say("\nshutting down")
        say("the gateway has ended; workspaces go on running on this machine, and the next `make run` finds them again")


def check_platform(system: str) -> None:
    """Refuse what the starter can't do.

    Raises:
        ScriptFailure: this is not Linux.
    """
    if system != "Linux":
        name = {"Darwin": "macOS"}.get(system, system)
        raise ScriptFailure(
            f"`make run` needs Linux and this is {name}: its demo workspace comes from the `host` starter, which knows "
            "its processes by Linux's means; run it in a Linux virtual machine or container"
        )


@contextmanager
def _only_run(folders: RunFolders) -> Generator[None]:
    try:
        for folder in (folders.base, folders.config):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = folders.lock.open("a+", encoding="utf-8")
    except OSError as error:
        raise ScriptFailure(
            f"{folders.base} can't be written ({error.strerror}): Genba keeps its data there, "
            "so work in a clone that you own"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ScriptFailure("`make run` already serves this clone: use that one, or end it with Ctrl-C") from error
        yield


def _warn_about_host_workspaces(listen: str) -> None:
    say("host workspaces run on this machine as your user (--allow-host-workspaces)")
    host = split_listen(listen)[0]
    if not (host.startswith("127.") or host in ("localhost", "::1")):
        say(f"WARNING: {host} can be reached from elsewhere: whoever may push templates can run code here as you")


def _main_job(gateway: GatewayProcess, genba: GenbaCommand) -> None:
    gateway.wait_until_healthy()
    session = sign_in_admin(IN_CLONE, gateway.url, genba)
    if push_starter(IN_CLONE, STARTER, genba):
        session.describe_template(TEMPLATE, DESCRIPTION)
    ready = start_demo(session, genba, gateway)
    if ready is None:
        say(f"workspace {WORKSPACE} is not ready yet; .genba/bin/genba logs -f {WORKSPACE} shows what it does")
    else:
        say(f"workspace {WORKSPACE} is ready")
    print(f"\nGenba serves at {gateway.url}. Its commands, in another terminal, in this folder:")
    print(NEXT_COMMANDS, flush=True)
    _print_pages(session, gateway.url)
    print("Ctrl-C ends the gateway.", flush=True)


def _print_pages(session: ApiSession, url: str) -> None:
    print(f"\nIts pages, in a browser; this link signs it in, once:\n\n  {session.make_sign_in_link().url}\n")
    print(
        f"There, {WORKSPACE} has VS Code and a terminal. VS Code is installed first where this machine has none: that"
    )
    print(f"takes minutes, and the log on {WORKSPACE}'s page says how far it is. `make sign-in` prints another link;")
    print(f"{url}/login asks for user {USERNAME} and the password in {_short(IN_CLONE.password)}.\n", flush=True)


def _serve(gateway: GatewayProcess) -> None:
    code = gateway.process.wait()
    raise ScriptFailure(f"The gateway ended by itself with exit code {code}: see {_short(IN_CLONE.log)}")


def _short(path: Path) -> str:
    return os.path.relpath(path)


def _on_terminate(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _on_terminate)
    signal.signal(signal.SIGHUP, _on_terminate)
    with exit_with_sentence(), own_foreground():
        main(sys.argv[1:])
