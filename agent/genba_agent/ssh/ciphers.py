"""Which ciphers the server offers: the fast ones alone, to clients that have them.

In SSH the client's order decides, and OpenSSH before 10.0 puts chacha20-poly1305 first, with which asyncssh carries
half of what it does with AES-GCM: the latter is one call of C per packet. So the server waits for the client's offer,
as it may (RFC 4253, section 7.1), before it makes its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from asyncssh.packet import PacketDecodeError, SSHPacket

FAST: Final = (b"aes128-gcm@openssh.com", b"aes256-gcm@openssh.com")

CIPHERS: Final = (*FAST, b"chacha20-poly1305@openssh.com", b"aes256-ctr", b"aes192-ctr", b"aes128-ctr")
"""All that there are."""

EAGER_CLIENT: Final = b"SSH-2.0-OpenSSH_"
"""Known to make its offer without waiting for ours; another client might wait for ever."""

_COOKIE_BYTES: Final = 16


def choose_ciphers(kexinit: bytes) -> Sequence[bytes]:
    """Return what to offer to a client.

    Args:
        kexinit: the client's offer, behind its type.
    """
    packet = SSHPacket(kexinit)
    try:
        packet.get_bytes(_COOKIE_BYTES)
        packet.get_namelist()  # key exchange
        packet.get_namelist()  # host keys
        offered = [packet.get_namelist(), packet.get_namelist()]  # to us, and from us
    except PacketDecodeError:
        return CIPHERS  # asyncssh says what is wrong with it
    fast = [cipher for cipher in FAST if all(cipher in names for names in offered)]
    return fast or CIPHERS
