"""Writes our file and our line in the user's config, checks both with the real ssh, and undoes them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.host_blocks import HostBlocks, Traces, own_file, read_remembered
from genba_ide_bridge.ssh_config.include_line import add_line, make_include_line, remove_line
from genba_ide_bridge.ssh_config.ssh_check import NoSsh, ask_ssh
from genba_ide_bridge.ssh_config.user_file import read_user_file, replace_user_file


@dataclass(frozen=True, slots=True)
class Change:
    """What a file holds before and after; None for no file."""

    path: Path
    before: bytes | None
    after: bytes | None

    def diff(self) -> Iterator[str]:
        """The change for people, in lines."""
        # Bytes of another encoding are shown somehow; what is written is exact.
        before, after = ((text or b"").decode(errors="replace").splitlines() for text in (self.before, self.after))
        old, new = (str(self.path) if text is not None else "/dev/null" for text in (self.before, self.after))
        return difflib.unified_diff(before, after, old, new, lineterm="", n=2)

    def apply(self) -> None:
        """Write it."""
        if self.before != self.after:
            replace_user_file(self.path, self.before, self.after)

    def undone(self) -> Change:
        """The way back."""
        return Change(self.path, self.after, self.before)


@dataclass(frozen=True, slots=True)
class Installation:
    """The user's config, and the folder with our file."""

    config: Path
    folder: Path

    @property
    def _line(self) -> bytes:
        return make_include_line(own_file(self.folder).absolute())

    def plan_install(self, blocks: HostBlocks) -> list[Change]:
        """The changes that install the blocks: our file, then the user's config."""
        own, config = own_file(self.folder), self.config
        own_before, config_before = read_user_file(own), read_user_file(config)
        _, traces = read_remembered(own_before)
        if traces.config != str(config):
            traces = Traces(str(config))
        if config_before is None:
            traces = replace(traces, made_file=True, made_folder=traces.made_folder or not config.parent.exists())
        return [
            Change(own, own_before, blocks.render(traces)),
            Change(config, config_before, add_line(config_before or b"", self._line)),
        ]

    def plan_removal(self) -> list[Change]:
        """The changes that take all of it away: first the line, then our file."""
        own, config = own_file(self.folder), self.config
        own_before, config_before = read_user_file(own), read_user_file(config)
        _, traces = read_remembered(own_before)
        config_after = None if config_before is None else remove_line(config_before, self._line)
        if config_after == b"" and traces.made_file and traces.config == str(config):
            config_after = None
        return [Change(config, config_before, config_after), Change(own, own_before, None)]

    def install(self, changes: list[Change], blocks: HostBlocks) -> bool:
        """Carry out what was planned and ask ssh whether it takes it; else all is as it was.

        Returns:
            Whether there was an ssh to ask.

        Raises:
            BridgeError: a file can't be written, or ssh refuses the configuration.
        """
        makes_folder = not self.config.parent.exists()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.config.parent.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise BridgeError(f"Can't make {error.filename}: {error.strerror}.") from error
        done: list[Change] = []
        try:
            for change in changes:
                change.apply()
                done.append(change)
            return self._check(blocks)
        except BaseException:
            for change in reversed(done):
                change.undone().apply()
            if makes_folder:
                self._remove_folder()
            raise

    def remove(self, changes: list[Change]) -> None:
        """Carry out what `plan_removal` planned."""
        config, own = changes
        _, traces = read_remembered(own.before)
        for change in changes:
            change.apply()
        if config.after is None and traces.made_folder:
            self._remove_folder()

    def _remove_folder(self) -> None:
        # It stays when the user has put something else into it.
        with suppress(OSError):
            self.config.parent.rmdir()

    def _check(self, blocks: HostBlocks) -> bool:
        for pattern, command in blocks.proxy_commands():
            host = pattern.replace("*", "check")
            try:
                found = ask_ssh(self.config, host)
            except NoSsh:
                return False
            except BridgeError as error:
                raise BridgeError(f"{error.message} All is as it was.", error.hint) from error
            if found.get("hostname") != blocks.host_name(host):
                raise BridgeError(
                    f"ssh would take {host} for another host: another part of {self.config} comes before ours."
                    " All is as it was.",
                    f"Let `{self._line.decode(errors='replace')}` be the file's first line, or above all blocks.",
                )
            if command and found.get("proxycommand") != command:
                raise BridgeError(
                    f"ssh would not reach {host} through Genba: another part of {self.config} comes before ours."
                    " All is as it was.",
                    f"Let `{self._line.decode(errors='replace')}` be the file's first line, or above all blocks.",
                )
            if found.get("stricthostkeychecking") not in ("true", "yes"):
                raise BridgeError(
                    f"ssh would not check the host key of {host}: another part of {self.config} comes before ours."
                    " All is as it was."
                )
        return True
