"""Binds the local ends of forwards, and says in words why one can't be had."""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress

from genba_ide_bridge.cli.forward_specs import LocalPath, LocalPort
from genba_ide_bridge.errors import BridgeError

_ABSENT = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""This machine has no such address: no IPv6, for one."""


def bind_port(local: LocalPort, kind: socket.SocketKind) -> list[socket.socket]:
    """Bind a socket on each of the port's addresses; of several, those that this machine lacks are left out.

    Raises:
        BridgeError: the port is taken, needs privileges, or has no address here.
    """
    bound: list[socket.socket] = []
    try:
        for host in local.hosts:
            try:
                bound.append(_bind(host, local.port, kind))
            except OSError as error:
                if error.errno not in _ABSENT or (host == local.hosts[-1] and not bound):
                    raise _explain(local, kind, error) from error
    except BaseException:
        for each in bound:
            each.close()
        raise
    return bound


def bind_path(local: LocalPath) -> socket.socket:
    """Bind a unix socket that only this user may open; one that a dead program left there is replaced.

    Raises:
        BridgeError: something else is there, or the folder can't be written to.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise BridgeError("This machine has no unix sockets.", "Name a port instead: --unix PORT:PATH.")
    path = os.path.expanduser(local.path)
    _remove_dead(path)
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        end.bind(path)
        end.listen()
        end.setblocking(False)
    except OSError as error:
        end.close()
        reason = error.strerror or str(error)
        raise BridgeError(f"Can't listen on {local.path}: {reason}.", "Name a path that can be written to.") from error
    finally:
        os.umask(before)
    return end


def remove_path(local: LocalPath) -> None:
    """Remove a socket that was bound."""
    with suppress(OSError):
        os.unlink(os.path.expanduser(local.path))


def _bind(host: str, port: int, kind: socket.SocketKind) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)[0]
    end = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            end.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind == socket.SOCK_STREAM and os.name == "posix":
            end.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        end.bind(address)
        if kind == socket.SOCK_STREAM:
            # With SO_REUSEADDR it is this that finds a port taken.
            end.listen()
        end.setblocking(False)
    except BaseException:
        end.close()
        raise
    return end


def _explain(local: LocalPort, kind: socket.SocketKind, error: OSError) -> BridgeError:
    flag = "--udp" if kind == socket.SOCK_DGRAM else "--tcp"
    other = f"Name another local port, as in {flag} {min(local.port + 10_000, 65_535)}:{local.port}."
    if error.errno == errno.EADDRINUSE:
        return BridgeError(f"Another program on this machine has {local} already.", other)
    if error.errno == errno.EACCES:
        return BridgeError(f"This user may not listen on {local}: ports below 1024 need privileges.", other)
    reason = error.strerror or str(error)
    return BridgeError(f"Can't listen on {local}: {reason}.", "Name an address of this machine, or none.")


def _remove_dead(path: str) -> None:
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            with suppress(OSError):
                os.unlink(path)
        except OSError:
            return
