from __future__ import annotations

from genba_agent.ssh.session_environment import SESSION_TYPE, SessionVariables, build_session_environment

WORKSPACE = {
    "PATH": "/ws/bin:/usr/bin",
    "HOME": "/home/dev",
    "USER": "dev",
    "SHELL": "/bin/zsh",
    "CODER": "true",
    "CODER_AGENT_TOKEN": "secret",
    "CODER_SCRIPT_BIN_DIR": "/ws/bin",
    "TERM": "dumb",
    "LINES": "3",
    "LANG": "C",
}


def build(**sent: str) -> dict[str, str]:
    return build_session_environment(WORKSPACE, SessionVariables(sent=sent))


def test_client_sets_what_is_not_the_agents() -> None:
    environ = build(LANG="ja_JP.UTF-8", EDITOR="vi", CODER_OWN="1")
    assert (environ["LANG"], environ["EDITOR"], environ["CODER_OWN"]) == ("ja_JP.UTF-8", "vi", "1")


def test_what_the_agent_forces_stays() -> None:
    environ = build(CODER="no", CODER_AGENT_TOKEN="x", HOME="/", USER="root", LOGNAME="root", SHELL="/bin/false")
    kept = ("CODER", "CODER_AGENT_TOKEN", "HOME", "USER", "LOGNAME", "SHELL")
    assert [environ[name] for name in kept] == ["true", "secret", "/home/dev", "dev", "dev", "/bin/zsh"]


def test_session_type_and_odd_names_are_left_out() -> None:
    environ = build(**{SESSION_TYPE: "vscode", "": "x", "A=B": "x", "N\0": "x"})
    assert not {SESSION_TYPE, "", "A=B", "N\0"} & environ.keys()


def test_path_of_the_client_keeps_the_scripts_programs() -> None:
    assert build(PATH="/opt/bin")["PATH"] == "/ws/bin:/opt/bin"
    assert build(PATH="/opt/bin:/ws/bin")["PATH"] == "/opt/bin:/ws/bin"


def test_terminal_and_sockets_are_named_where_there_are_any() -> None:
    assert not {"TERM", "LINES", "SSH_AUTH_SOCK", "DISPLAY"} & build().keys()
    environ = build_session_environment(
        WORKSPACE,
        SessionVariables(
            sent={"DISPLAY": ":0"}, terminal_type="xterm", agent_path="/tmp/agent", display="localhost:10.0"
        ),
    )
    assert (environ["TERM"], environ["SSH_AUTH_SOCK"], environ["DISPLAY"]) == ("xterm", "/tmp/agent", "localhost:10.0")
    assert environ["SSH_CONNECTION"]
