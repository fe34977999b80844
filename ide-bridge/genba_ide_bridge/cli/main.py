"""Owns the command `genba`: finds the function of a subcommand and calls it.

Everything is imported when it is called, and this module imports nothing that a plain interpreter has not loaded:
`genba version` is asked by editors before almost everything, and `genba agent` must stay small. The other programs
are named by strings: the programs don't import one another, and entry points get lost in assembled builds.
"""

from __future__ import annotations

import os
import sys

OWN = "own"
"""A command of this program: a click command, called through `running.run_command`."""

PROGRAM = "program"
"""Another program: a function that takes its arguments and returns an exit code."""

_COMMANDS = "genba_ide_bridge.cli.commands."

TABLE: dict[str, tuple[str, str, str]] = {
    "server": (PROGRAM, "genba_gateway.__main__:main", "Run the gateway"),
    "agent": (PROGRAM, "genba_agent.main:main", "Run the agent of a workspace"),
    "gitssh": (PROGRAM, "genba_agent.gitssh:main", "Run ssh with the user's git key (in a workspace)"),
    "login": (OWN, _COMMANDS + "login:login", "Sign in to a gateway, or set a new one up"),
    "logout": (OWN, _COMMANDS + "login:logout", "Sign out"),
    "whoami": (OWN, _COMMANDS + "login:whoami", "Show who is signed in, and where"),
    "templates": (OWN, _COMMANDS + "templates:templates", "Push, list and delete templates"),
    "create": (OWN, _COMMANDS + "create:create", "Create a workspace"),
    "list": (OWN, _COMMANDS + "listing:list_workspaces", "List workspaces"),
    "show": (OWN, _COMMANDS + "listing:show", "Show a workspace, its agents and apps"),
    "start": (OWN, _COMMANDS + "builds:start", "Start a workspace"),
    "stop": (OWN, _COMMANDS + "builds:stop", "Stop a workspace"),
    "restart": (OWN, _COMMANDS + "builds:restart", "Stop a workspace and start it again"),
    "rename": (OWN, _COMMANDS + "workspace_settings:rename", "Give a workspace another name"),
    "schedule": (OWN, _COMMANDS + "schedule:schedule", "Show and set when workspaces start and stop by themselves"),
    "autoupdate": (OWN, _COMMANDS + "workspace_settings:autoupdate", "Let starts take a template's active version"),
    "favorite": (OWN, _COMMANDS + "workspace_settings:favorite", "Put a workspace of yours first in lists"),
    "unfavorite": (OWN, _COMMANDS + "workspace_settings:unfavorite", "Put it back into its place in lists"),
    "update": (OWN, _COMMANDS + "builds:update", "Start a workspace with its template's active version"),
    "delete": (OWN, _COMMANDS + "deletion:delete", "Delete a workspace"),
    "logs": (OWN, _COMMANDS + "logs:logs", "Show, or follow, the logs of builds and agents"),
    "terminal": (OWN, _COMMANDS + "terminal:terminal", "Open a terminal in a workspace, or run a command in one"),
    "port-forward": (OWN, _COMMANDS + "port_forward:port_forward", "Make ports of a workspace reachable here"),
    "cp": (OWN, _COMMANDS + "cp:cp", "Copy files to and from a workspace"),
    "ping": (OWN, _COMMANDS + "ping:ping", "Measure how long a workspace takes to answer"),
    "speedtest": (OWN, _COMMANDS + "speedtest:speedtest", "Measure how much goes through to a workspace"),
    "netcheck": (OWN, _COMMANDS + "netcheck:netcheck", "Check the way to the gateway"),
    "ssh": (OWN, _COMMANDS + "ssh:ssh", "Open a shell in a workspace with your own OpenSSH"),
    "vscodessh": (OWN, _COMMANDS + "vscodessh:vscodessh", "Be the ProxyCommand of older editor extensions"),
    "config-ssh": (OWN, _COMMANDS + "config_ssh:config_ssh", "Make `ssh genba.WORKSPACE` work, and all that uses ssh"),
    "open": (OWN, _COMMANDS + "open_vscode:open_", "Open a workspace in VS Code"),
    "tokens": (OWN, _COMMANDS + "tokens:tokens", "Create, list and remove tokens"),
    "users": (OWN, _COMMANDS + "users:users", "Create, list, show, suspend, activate and delete users"),
    "state": (OWN, _COMMANDS + "state:state", "Pull or push a workspace's Terraform state"),
    "stat": (OWN, _COMMANDS + "stat:stat", "Show how busy this machine is, for the metadata of templates"),
    "support": (OWN, _COMMANDS + "support:support", "Gather what others need to help, in a zip"),
    "bridge": (OWN, _COMMANDS + "bridge:bridge", "Serve an editor, as a language server"),
    "version": (OWN, "", "Show the version"),
}
"""Subcommand: (kind, "module:function", what it does)."""

ALIASES = {
    "fav": "favorite",
    "favourite": "favorite",
    "unfav": "unfavorite",
    "unfavourite": "unfavorite",
    "ls": "list",
    "rm": "delete",
    "template": "templates",
    "token": "tokens",
    "tunnel": "port-forward",
    "user": "users",
}

GLOBAL_FLAGS_WITH_VALUE = frozenset(
    {
        "--url",
        "--token",
        "--global-config",
        "--header",
        "--header-command",
        "--ca-file",
        "--client-cert",
        "--client-key",
    }
)
GLOBAL_SWITCHES = frozenset(
    {
        "-v",
        "--verbose",
        "--no-version-warning",
        "--no-feature-warning",
        "--disable-direct-connections",
        "--disable-network-telemetry",
        "--debug-options",
        "--no-open",
        "--force-tty",
    }
)


def main(arguments: list[str] | None = None) -> int:
    """Run `genba` with the arguments of the process, or those given; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    _open_closed_streams()
    leading, rest = split_global_flags(arguments)
    if not rest or rest[0] in ("-h", "--help", "help"):
        if len(rest) > 1 and rest[0] == "help":
            return main([*leading, *rest[1:], "--help"])
        sys.stdout.write(help_text())
        return 0
    name = ALIASES.get(rest[0], rest[0])
    if name in ("version", "--version"):
        return _version(rest[1:])
    if name not in TABLE:
        sys.stderr.write(f'error: there is no command or global flag "{rest[0]}".\n`genba --help` lists all of them.\n')
        return 2
    kind, target, _ = TABLE[name]
    if kind == PROGRAM:
        return _call_program(target, [*leading, *rest[1:]])
    from genba_ide_bridge.cli.running import run_command

    # Every command of ours takes the global flags itself, so those before the subcommand only have to be moved.
    return run_command(target, name, [*leading, *rest[1:]])


def _open_closed_streams() -> None:
    """Put something behind the standard streams that our parent closed, as editors do with stdin.

    Python has None for them, and their numbers would go to the next files or sockets that are opened.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        # The lowest free number is taken: the stream's own, unless something was opened since.
        opened = os.open(os.devnull, os.O_RDWR)
        setattr(sys, name, open(opened, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115  they stay open


def split_global_flags(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Split off the global flags before the subcommand."""
    at = 0
    while at < len(arguments):
        argument = arguments[at]
        flag, has_value, _ = argument.partition("=")
        if argument in GLOBAL_FLAGS_WITH_VALUE:
            at += 2
        elif argument in GLOBAL_SWITCHES or (has_value and flag in GLOBAL_FLAGS_WITH_VALUE | GLOBAL_SWITCHES):
            at += 1
        else:
            break
    return arguments[:at], arguments[at:]


def help_text() -> str:
    """What `genba --help` says."""
    width = max(len(name) for name in TABLE)
    commands = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, _, summary) in TABLE.items())
    return f"""Usage: genba [GLOBAL FLAGS] COMMAND [FLAGS] [ARGUMENTS]

Commands:
{commands}

Global flags, before or after the command:
  --url URL                 the gateway [GENBA_URL, CODER_URL]
  --token TOKEN             the session token [GENBA_SESSION_TOKEN, CODER_SESSION_TOKEN]
  --global-config DIR       where the session is kept [GENBA_CONFIG_DIR, CODER_CONFIG_DIR; ~/.config/genba]
  --header NAME=VALUE       send a header with every request, repeatable [GENBA_HEADER, CODER_HEADER]
  --header-command COMMAND  send the headers that a command prints [GENBA_HEADER_COMMAND, CODER_HEADER_COMMAND]
  --ca-file FILE            the certificate authority of an https gateway, PEM [GENBA_CA_FILE, CODER_CA_FILE]
  --client-cert FILE        shown to a gateway that asks for it, PEM [GENBA_CLIENT_CERT, CODER_CLIENT_CERT]
  --client-key FILE         its private key, PEM [GENBA_CLIENT_KEY, CODER_CLIENT_KEY]
  --no-version-warning      don't tell that the gateway has another version
  -v, --verbose             show tracebacks of errors
  --version                 show the version

`genba COMMAND --help` tells more about a command. To begin: `genba login URL`.
"""


def _version(arguments: list[str]) -> int:
    from genba_wire.version import VERSION, VERSION_LINE

    output = "text"
    _, rest = split_global_flags(arguments)
    while rest:
        flag, has_value, value = rest.pop(0).partition("=")
        if flag in ("-h", "--help"):
            sys.stdout.write("Usage: genba version [-o text|json]\n")
            return 0
        if flag.startswith("-o") and not flag.startswith("--") and len(flag) > 2:
            flag, has_value, value = "-o", "=", flag[2:]
        if flag not in ("-o", "--output") or (not has_value and not rest):
            sys.stderr.write("error: usage: genba version [-o text|json]\n")
            return 2
        output = value if has_value else rest.pop(0)
        _, rest = split_global_flags(rest)
    if output == "json":
        import json

        sys.stdout.write(json.dumps({"version": VERSION}, indent=2) + "\n")
    elif output == "text":
        sys.stdout.write(VERSION_LINE + "\n")
    else:
        sys.stderr.write(f'error: --output is text or json, not "{output}".\n')
        return 2
    return 0


def _call_program(target: str, arguments: list[str]) -> int:
    from importlib import import_module

    module_name, _, function_name = target.partition(":")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        sys.stderr.write(
            f"error: this installation does not hold {module_name}.\nInstall it all: uv tool install genba\n"
        )
        return 1
    code: object = getattr(module, function_name)(arguments)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
