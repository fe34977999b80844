from __future__ import annotations

import pytest

from genba_agent.errors import AgentError, LogsOverflowed, OptionsError


@pytest.mark.parametrize("error", [OptionsError, LogsOverflowed])
def test_all_errors_have_one_base(error: type[AgentError]) -> None:
    assert issubclass(error, AgentError)
