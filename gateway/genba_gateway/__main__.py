"""`genba server`: reads the settings and runs the gateway until it is told to stop, or a command on its database."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from typing import Final

from genba_gateway.config import DEFAULT_LISTEN, Config, load_config
from genba_gateway.errors import ConfigError
from genba_wire.aio.busy_polling import BUSY_POLL_US, make_event_loop

EXIT_CONFIG: Final = 2
EXIT_INTERRUPTED: Final = 130

REPLACE_SSH_AUTHORITY: Final = "replace-ssh-authority"
"""A command in place of flags: another key for the host certificates of workspaces."""


def main(argv: list[str] | None = None) -> int:
    """Run the gateway.

    Returns:
        0 after a clean shutdown, 2 when it can't start as configured (one sentence on stderr says why).
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        words = sys.argv[1:] if argv is None else argv
        if words[:1] == [REPLACE_SSH_AUTHORITY]:
            return _replace_ssh_authority(_read_config(words[1:]))
        config = _read_config(words)
        with asyncio.Runner(loop_factory=lambda: make_event_loop(config.busy_poll_us)) as runner:
            runner.run(_run(config))
    except ConfigError as error:
        print(f"genba server: {error}", file=sys.stderr)
        return EXIT_CONFIG
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    return 0


def _read_config(argv: list[str]) -> Config:
    parser = argparse.ArgumentParser(prog="genba server", description="Run the gateway.")
    parser.add_argument("--config", help="a TOML file with these settings")
    parser.add_argument("--listen", metavar="HOST:PORT", help=f"address to serve on (default {DEFAULT_LISTEN})")
    parser.add_argument(
        "--agent-listen", metavar="HOST:PORT", help="a further address, for agents and their downloads alone"
    )
    parser.add_argument("--access-url", metavar="URL", help="what clients and agents call, if not the address above")
    parser.add_argument("--apps-url", metavar="URL", help="a second origin on this address, for apps by path")
    parser.add_argument(
        "--wildcard-access-url", metavar="*.DOMAIN", help="names on this address, one for each app and port"
    )
    parser.add_argument(
        "--disable-path-apps", action="store_const", const=True, help="serve apps under names of their own only"
    )
    parser.add_argument(
        "--bin-dir", metavar="DIR", help="the programs served under /bin (default: bin in the data folder)"
    )
    parser.add_argument("--data-dir", metavar="DIR", help="data folder (default ~/.local/share/genba)")
    parser.add_argument("--database-url", metavar="URL", help="default: a SQLite file in the data folder")
    parser.add_argument("--tls-cert", metavar="FILE", help="certificate chain (PEM)")
    parser.add_argument("--tls-key", metavar="FILE", help="its private key (PEM)")
    parser.add_argument(
        "--tls-client-ca", metavar="FILE", help="let in only who shows a certificate of these authorities (PEM)"
    )
    parser.add_argument(
        "--ca-file", metavar="FILE", help="the authority of its own address, where that is a private one (PEM)"
    )
    parser.add_argument("--client-cert", metavar="FILE", help="what it shows when it calls its own address (PEM)")
    parser.add_argument("--client-key", metavar="FILE", help="the key of that certificate (PEM)")
    parser.add_argument("--trusted-proxies", metavar="CIDR,…", help="whose X-Forwarded-For is believed")
    parser.add_argument(
        "--ssh-hostname-prefix", metavar="TEXT", help="before workspaces' names in ssh (default coder.)"
    )
    parser.add_argument("--ssh-hostname-suffix", metavar="TEXT", help="behind workspaces' names in ssh (default genba)")
    parser.add_argument(
        "--ssh-config-options", metavar="NAME=VALUE,…", help="options for everybody's ssh to workspaces"
    )
    parser.add_argument(
        "--allow-host-workspaces",
        action="store_const",
        const=True,
        help="let templates start workspaces as processes on this machine",
    )
    parser.add_argument("--terraform-path", metavar="FILE", help="terraform or tofu, if not the one on PATH")
    parser.add_argument("--concurrent-builds", type=int, metavar="N", help="default: twice the number of cores")
    parser.add_argument(
        "--cancel-grace-s", type=float, metavar="SECONDS", help="how long a canceled Terraform may take (default 180)"
    )
    parser.add_argument(
        "--init-limit-s", type=float, metavar="SECONDS", help="how long terraform init may take (default 600)"
    )
    parser.add_argument(
        "--busy-poll-us",
        type=int,
        metavar="MICROSECONDS",
        help=f"look for answers that long before sleeping, while they come that soon (default {BUSY_POLL_US})",
    )
    flags = vars(parser.parse_args(argv))
    config_file = flags.pop("config") or os.environ.get("GENBA_CONFIG")
    return load_config(flags, os.environ, config_file)


def _replace_ssh_authority(config: Config) -> int:
    from genba_gateway.ssh_authority_command import replace_ssh_authority

    key = asyncio.run(replace_ssh_authority(config))
    print(f"Host keys of workspaces are certified by this key from here on:\n{key}")
    print("Restart the gateway: agents ask for new certificates when they connect again, else within a day.")
    print("Then everybody runs `genba config-ssh` once; until then ssh refuses to connect. `genba ssh` sees to itself.")
    return 0


async def _run(config: Config) -> None:
    from genba_gateway.app import run_gateway  # imports the libraries; usage errors are told without them

    shutdown = asyncio.Event()
    loop = asyncio.get_running_loop()

    def stop(name: str) -> None:
        if shutdown.is_set():
            logging.getLogger(__name__).warning("%s again: leaving at once", name)
            os._exit(EXIT_INTERRUPTED)
        shutdown.set()

    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop, each.name)
    await run_gateway(config, shutdown)


if __name__ == "__main__":
    sys.exit(main())
