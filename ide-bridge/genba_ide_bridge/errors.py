"""Errors of the bridge.

BridgeError               said to the user as it is; exit code 1
└── NotSignedIn           no session, or one that the gateway does not take
"""

from __future__ import annotations


class BridgeError(Exception):
    """What went wrong, for people; `hint` is what to do next."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class NotSignedIn(BridgeError):
    """There is no usable session."""
