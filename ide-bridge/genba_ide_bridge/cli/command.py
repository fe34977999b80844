"""What all click commands of ours share: the global flags, `-h`, Go's way to write switches, aliases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar

import click

from genba_ide_bridge.cli.options import GlobalFlags, split_list, variable_names

HELP_FLAGS = ("-h", "--help")


def _store(field_name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def callback(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        if value is not None and value is not False and value != ():
            flags = context.find_root().ensure_object(GlobalFlags)
            setattr(flags, field_name, list(value) if isinstance(value, tuple) else value)  # pyright: ignore[reportUnknownArgumentType]  # click gives tuples of text here

    return callback


def _global_option(*names: str, field: str | None, is_switch: bool = False, many: bool = False) -> click.Option:
    # A name of its own: click would mix it up with an argument of a command, like the URL of `login`.
    return click.Option(
        [*names, "global_" + names[-1].strip("-").replace("-", "_")],
        is_flag=is_switch,
        multiple=many,
        expose_value=False,
        hidden=True,
        callback=_store(field) if field else None,
    )


GLOBAL_OPTIONS: list[click.Parameter] = [
    _global_option("--url", field="url"),
    _global_option("--token", field="token"),
    _global_option("--global-config", field="global_config"),
    _global_option("--header", field="header", many=True),
    _global_option("--header-command", field="header_command"),
    _global_option("--ca-file", field="ca_file"),
    _global_option("--client-cert", field="client_cert"),
    _global_option("--client-key", field="client_key"),
    _global_option("--no-version-warning", field="no_version_warning", is_switch=True),
    _global_option("-v", "--verbose", field="verbose", is_switch=True),
    _global_option("--no-open", field="no_open", is_switch=True),
    _global_option("--force-tty", field="force_tty", is_switch=True),
    # Taken because editors and scripts pass them; there is nothing that they, or their variables, would change here.
    _global_option("--no-feature-warning", field=None, is_switch=True),
    _global_option("--disable-direct-connections", field=None, is_switch=True),
    _global_option("--disable-network-telemetry", field=None, is_switch=True),
    _global_option("--debug-options", field=None, is_switch=True),
]


class GenbaCommand(click.Command):
    """A command that takes the global flags too."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and the global ones."""
        return [*super().get_params(ctx), *GLOBAL_OPTIONS]

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Flags that show the help."""
        return list(HELP_FLAGS)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words after the command."""
        return super().parse_args(ctx, _plain_switches(self.get_params(ctx), args))


class GenbaGroup(click.Group):
    """A group of commands that takes the global flags too; `aliases` map other names to its commands."""

    command_class = GenbaCommand
    group_class = type
    aliases: ClassVar[Mapping[str, str]] = {"ls": "list", "rm": "delete", "version": "versions"}

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Its own parameters and the global ones."""
        return [*super().get_params(ctx), *GLOBAL_OPTIONS]

    def get_help_option_names(self, ctx: click.Context) -> list[str]:
        """Flags that show the help."""
        return list(HELP_FLAGS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command by its name or an alias."""
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name in self.aliases:
            return super().get_command(ctx, self.aliases[cmd_name])
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the words name."""
        _, command, rest = super().resolve_command(ctx, args)
        return command.name if command else None, command, rest


class TokenGroup(GenbaGroup):
    """The group `tokens`, whose `remove` has more names."""

    aliases: ClassVar[Mapping[str, str]] = {"ls": "list", "rm": "remove", "delete": "remove"}


class ScheduleGroup(GenbaGroup):
    """The group `schedule`, whose `extend` had another name."""

    aliases: ClassVar[Mapping[str, str]] = {"override-stop": "extend"}


class UserGroup(GenbaGroup):
    """The group `users`."""

    aliases: ClassVar[Mapping[str, str]] = {"ls": "list", "rm": "delete", "active": "activate"}


class ListedText(click.types.StringParamType):
    """Text that may be given several times, or as a list with commas in the environment."""

    def split_envvar_value(self, rv: str) -> list[str]:
        """Split the environment's text."""
        return split_list(rv)


LISTED_TEXT = ListedText()


def environment_of(name: str) -> list[str]:
    """Names of a flag's variable, for click's `envvar`."""
    return variable_names(name)


def _plain_switches(parameters: list[click.Parameter], arguments: list[str]) -> list[str]:
    """Turn `--switch=true` and `--switch=false`, as Go's flags are written, into what click reads."""
    switches = {name: option for option in parameters for name in _switch_names(option)}
    plain: list[str] = []
    for at, argument in enumerate(arguments):
        if argument == "--":
            return [*plain, *arguments[at:]]
        name, separator, value = argument.partition("=")
        if name not in switches or not separator or value.lower() not in ("true", "false"):
            plain.append(argument)
        elif value.lower() == "true":
            plain.append(name)
        else:
            plain.extend(switches[name].secondary_opts[:1])
    return plain


def _switch_names(parameter: click.Parameter) -> list[str]:
    is_switch = isinstance(parameter, click.Option) and parameter.is_flag
    return [name for name in parameter.opts if name.startswith("--")] if is_switch else []
