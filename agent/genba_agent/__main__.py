"""`python -m genba_agent`: the agent; `python -m genba_agent gitssh -- …`: git's SSH command."""

from __future__ import annotations

import sys


def _run(argv: list[str]) -> int:
    if argv[:1] == ["gitssh"]:
        from genba_agent.gitssh import main as gitssh_main

        return gitssh_main(argv[1:])
    from genba_agent.main import main as agent_main

    return agent_main(argv[1:] if argv[:1] == ["agent"] else argv)


if __name__ == "__main__":
    sys.exit(_run(sys.argv[1:]))
