"""Words, as the real ssh and the real shell take them apart."""

from __future__ import annotations

import subprocess
from pathlib import Path, PureWindowsPath

import pytest

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.ssh_config.quoting import command_line, config_word, file_word, include_word

ODD_NAMES = ["plain", "a space", "it's", 'a "quote"', "back\\slash", "end\\", "per%cent", "#hash", "do$llar", "ümlaut",
             "[a]*?", "`tick`", "\\'", "a=b"]  # fmt: skip


def ssh_g(config: Path, host: str = "probe") -> dict[str, str]:
    done = subprocess.run(["ssh", "-F", config, "-G", host], capture_output=True, text=True, check=True)
    return {key: value for key, _, value in (line.partition(" ") for line in done.stdout.splitlines())}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_ssh_reads_the_name_of_a_file_and_includes_that_file_only(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    included, config = folder / "ssh_config", tmp_path / "config"
    included.write_text(f"UserKnownHostsFile {file_word(folder / 'known_hosts')}\n")
    config.write_text(f"Include {include_word(included)}\n")
    assert ssh_g(config)["userknownhostsfile"] == str(folder / "known_hosts")


@pytest.mark.parametrize("name", ODD_NAMES)
def test_ssh_and_the_shell_read_the_words_of_a_command(tmp_path: Path, name: str) -> None:
    command = command_line(["printf", r"%s\n", name, "x"], is_windows=False)
    config = tmp_path / "config"
    config.write_text(f"ProxyCommand {command}\n")
    assert ssh_g(config)["proxycommand"] == command
    # ssh turns %% into % and gives the rest to the shell.
    said = subprocess.run(["sh", "-c", command.replace("%%", "%")], capture_output=True, text=True, check=True).stdout
    assert said == f"{name}\nx\n"


def test_on_windows_paths_keep_their_backslashes_in_commands() -> None:
    words = [r"C:\Program Files\Genba\genba.exe", "--global-config", r"C:\Users\al\genba", "50%"]
    assert command_line(words, is_windows=True) == (
        r'"C:\Program Files\Genba\genba.exe" --global-config C:\Users\al\genba 50%%'
    )
    assert include_word(PureWindowsPath(r"C:\Users\A B\ssh_config")) == '"C:/Users/A B/ssh_config"'
    assert file_word(PureWindowsPath(r"C:\Users\al\known_hosts")) == "C:/Users/al/known_hosts"
    for word in ('a"b', "ends in \\"):
        with pytest.raises(BridgeError):
            command_line([word], is_windows=True)


@pytest.mark.parametrize("text", ["a\nb", "a\0b", "a\rb", "\x7f"])
def test_what_would_break_the_line_is_refused(text: str) -> None:
    for is_windows in (True, False):
        with pytest.raises(BridgeError):
            command_line([text], is_windows=is_windows)
    with pytest.raises(BridgeError):
        config_word(text)


def test_a_path_that_ssh_would_take_for_a_variable_is_refused() -> None:
    with pytest.raises(BridgeError, match="variable"):
        file_word(Path("/home/${x}"))
