"""Errors of the agent.

AgentError
├── OptionsError        flags or environment are unusable; the program ends with status 2
└── LogsOverflowed      the gateway keeps no more lines of this agent
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of all."""


class OptionsError(AgentError):
    """One sentence: what is wrong and what to do."""


class LogsOverflowed(AgentError):
    """The gateway answered 413: nothing more of this agent's output will be stored."""
