from __future__ import annotations

import os
import signal
import termios

import pytest

from genba_agent.terminals.pty_process import read_available
from genba_agent.terminals.spawning import SpawnedPty, WindowSize, set_window_size, spawn_on_pty

SH = "/bin/sh"


def read_to_the_end(spawned: SpawnedPty) -> list[str]:
    """The program's output after its end, which closes the pty."""
    os.waitpid(spawned.pid, 0)
    data = b""
    while part := read_available(spawned.controller)[0]:
        data += part
    os.close(spawned.controller)
    os.close(spawned.terminal)
    return data.decode().splitlines()


def run(script: str, size: WindowSize | None = None) -> list[str]:
    return read_to_the_end(spawn_on_pty([SH, "-c", script], dict(os.environ), size or WindowSize()))


def test_program_leads_a_session_and_has_the_pty_as_its_controlling_terminal() -> None:
    output = run("echo $$; ps -o sid= -o tpgid= -o tty= -p $$; tty; echo through > /dev/tty")
    pid = output[0]
    session, foreground, terminal = output[1].split()
    assert (session, foreground) == (pid, pid)
    assert output[2] == f"/dev/{terminal}"
    assert output[3] == "through"


def test_terminal_has_its_size_from_the_beginning_and_gets_another() -> None:
    assert run("stty size", WindowSize(7, 65535)) == ["7 65535"]
    spawned = spawn_on_pty([SH, "-c", "read line; stty size"], dict(os.environ), WindowSize())
    set_window_size(spawned.controller, WindowSize(50, 160))
    os.write(spawned.controller, b"\n")
    assert read_to_the_end(spawned)[-1] == "50 160"


def test_kernel_erases_whole_characters() -> None:
    assert "iutf8" in " ".join(run("stty -a")).split()


def test_signals_have_their_defaults_whatever_the_agent_ignores() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        output = run("grep -E 'Sig(Ign|Blk)' /proc/self/status")
    finally:
        signal.signal(signal.SIGHUP, before)
    sets = dict(line.split() for line in output)
    assert sets.keys() == {"SigBlk:", "SigIgn:"}
    # 32 and 33 are glibc's own; it lets nobody touch them.
    assert all(int(signals, 16) & ~(0b11 << 31) == 0 for signals in sets.values()), sets


def test_no_file_of_the_agent_or_its_parent_reaches_the_program() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    try:
        output = run("ls /proc/self/fd")
    finally:
        os.close(reading)
        os.close(writing)
    # The fourth is the listing's own.
    assert " ".join(output).split() == ["0", "1", "2", "3"]


def test_program_that_cannot_be_started_leaves_nothing_open() -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        spawn_on_pty(["/no/such/program"], {}, WindowSize())
    with pytest.raises(ValueError, match="null byte"):
        spawn_on_pty([SH, "-c", "echo \0"], {}, WindowSize())
    assert len(os.listdir("/proc/self/fd")) == before


def test_discarded_program_is_gone() -> None:
    before = len(os.listdir("/proc/self/fd"))
    spawned = spawn_on_pty([SH, "-c", "trap '' HUP TERM; sleep 1000"], dict(os.environ), WindowSize())
    spawned.discard()
    with pytest.raises(ProcessLookupError):
        os.kill(spawned.pid, 0)
    assert len(os.listdir("/proc/self/fd")) == before


def test_terminal_is_in_line_mode_with_echo() -> None:
    spawned = spawn_on_pty([SH, "-c", "read line"], dict(os.environ), WindowSize())
    flags: int = termios.tcgetattr(spawned.controller)[3]
    spawned.discard()
    assert flags & termios.ICANON
    assert flags & termios.ECHO
