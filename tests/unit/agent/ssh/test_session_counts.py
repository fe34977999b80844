from __future__ import annotations

from genba_agent.ssh.session_counts import SessionCounts


def test_sessions_are_counted_by_what_clients_call_themselves() -> None:
    counts = SessionCounts()
    kinds = [counts.begin(name) for name in ("vscode", "VSCode", "jetbrains", "", "vim")]
    assert kinds == ["vscode", "vscode", "jetbrains", "ssh", "ssh"]
    counts.end("vscode")
    assert (counts["vscode"], counts["jetbrains"], counts["ssh"]) == (1, 1, 2)
