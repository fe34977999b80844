"""The environment of an agent on the gateway's machine."""

from __future__ import annotations

from pathlib import Path

from genba_gateway.provider.genba.environment import make_environment


def make(**inherited: str) -> dict[str, str]:
    return make_environment(
        inherited,
        home=Path("/h"),
        url="http://gateway",
        token_file=Path("/r/token"),
        logs=Path("/l"),
        data=Path("/d"),
    )


def test_by_what_the_gateway_is_called_from_its_own_machine_is_handed_on() -> None:
    files = {"GENBA_CA_FILE": "/ca.pem", "GENBA_CLIENT_CERT": "/client.pem", "GENBA_CLIENT_KEY": "/client.key"}
    assert make(**files).items() >= files.items()


def test_gateways_own_settings_are_dropped() -> None:
    made = make(
        GENBA_ENCRYPTION_KEYS="k", CODER_AGENT_TOKEN="t", TF_VAR_x="v", NOTIFY_SOCKET="/run/x", HOME="/root", LANG="C"
    )
    assert "GENBA_ENCRYPTION_KEYS" not in made
    assert "CODER_AGENT_TOKEN" not in made
    assert "TF_VAR_x" not in made
    assert "NOTIFY_SOCKET" not in made
    assert made["LANG"] == "C"
    assert made["HOME"] == "/h"


def test_what_is_said_to_agents_is_handed_on() -> None:
    assert make(GENBA_AGENT_KEEP="8")["GENBA_AGENT_KEEP"] == "8"


def test_agent_is_told_where_its_gateway_token_and_logs_are() -> None:
    made = make()
    assert made["CODER_AGENT_URL"] == "http://gateway"
    assert made["CODER_AGENT_TOKEN_FILE"] == "/r/token"
    assert made["CODER_AGENT_LOG_DIR"] == "/l"
    assert made["CODER_AGENT_SCRIPT_DATA_DIR"] == "/d"


def test_there_is_always_a_path_and_the_inherited_one_wins() -> None:
    assert make()["PATH"]
    assert make(PATH="/mine")["PATH"] == "/mine"
