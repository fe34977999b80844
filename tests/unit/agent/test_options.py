from __future__ import annotations

import os
from pathlib import Path

import pytest

from genba_agent.errors import OptionsError
from genba_agent.options import AgentOptions, parse_options
from genba_wire.aio.busy_polling import BUSY_POLL_US
from genba_wire.version import VERSION_LINE

TOKEN = "5a9c1f0e-9f6e-4a53-9d0c-6f9f3c1f2b11"
NEEDED = {"CODER_AGENT_URL": "https://genba.example.com/", "CODER_AGENT_TOKEN": TOKEN}


def parse(*argv: str, **environ: str) -> AgentOptions:
    return parse_options(list(argv), NEEDED | environ)


def test_defaults_are_the_contracts() -> None:
    options = parse()
    assert options.address.url == "https://genba.example.com"
    assert options.address.token == TOKEN
    assert options.log_dir == Path("/tmp")
    assert options.script_data_dir == Path("/tmp")
    assert options.log_human == "/dev/stderr"
    assert options.log_json == ""
    assert options.reaps


def test_environment_is_read_and_flags_win() -> None:
    environ = {
        "CODER_AGENT_LOG_DIR": "/env/logs",
        "CODER_AGENT_SCRIPT_DATA_DIR": "/env/data",
        "CODER_AGENT_LOGGING_HUMAN": "",
        "CODER_AGENT_LOGGING_JSON": "/env/json",
        "CODER_AGENT_SUBSYSTEM": "envbox, exectrace,envbox",
        "CODER_AGENT_HEADER": "A=1,B=2=3",
    }
    options = parse("--log-dir", "/flag/logs", "--no-reap", **environ)
    assert (options.log_dir, options.script_data_dir) == (Path("/flag/logs"), Path("/env/data"))
    assert (options.log_human, options.log_json) == ("", "/env/json")
    assert options.subsystems == ("envbox", "exectrace")
    assert options.headers == {"A": "1", "B": "2=3"}
    assert not options.reaps


def test_header_command_adds_headers() -> None:
    options = parse("--agent-header", "A=1", "--agent-header-command", "echo B=2; echo C=3")
    assert options.headers == {"A": "1", "B": "2", "C": "3"}


def test_the_file_of_the_certificate_authority_comes_from_flag_or_environment() -> None:
    assert parse().ca_file == ""
    assert parse(GENBA_CA_FILE="/env.pem").ca_file == "/env.pem"
    assert parse("--ca-file", "here.pem").ca_file == os.path.abspath("here.pem")
    assert parse("--ca-file", "/flag.pem", GENBA_CA_FILE="/env.pem").ca_file == "/flag.pem"


def test_the_file_of_the_certificate_authority_is_found_from_every_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse("--client-cert", "a.pem", GENBA_CLIENT_CERT="/b.pem").client_cert == str(tmp_path / "a.pem")
    assert parse(GENBA_CLIENT_KEY="a.key").client_key == str(tmp_path / "a.key")
    assert parse("--ca-file", "private/ca.pem").ca_file == str(tmp_path / "private" / "ca.pem")
    assert parse(GENBA_CA_FILE="ca.pem").ca_file == str(tmp_path / "ca.pem")


def test_sessions_are_kept_for_a_day_unless_it_is_told_otherwise() -> None:
    assert parse().session_keep_s == 24 * 3600
    assert parse(GENBA_AGENT_KEEP="2").session_keep_s == 7200
    assert parse("--session-keep", "0.5", GENBA_AGENT_KEEP="2").session_keep_s == 1800
    assert parse("--session-keep", "0").session_keep_s == 0
    assert parse("--session-keep", "8760").session_keep_s == 8760 * 3600
    # A moment is not none at all.
    assert parse("--session-keep", "0.0001").session_keep_s == 1


@pytest.mark.parametrize("hours", ["-1", "8760.1", "a day", "nan", "inf"])
def test_sessions_are_not_kept_for_what_is_no_number_of_hours(hours: str) -> None:
    with pytest.raises(OptionsError, match="GENBA_AGENT_KEEP"):
        parse(GENBA_AGENT_KEEP=hours)


def test_how_long_it_polls_is_told_in_microseconds() -> None:
    assert parse().busy_poll_us == BUSY_POLL_US
    assert parse(GENBA_AGENT_BUSY_POLL_US="0").busy_poll_us == 0
    assert parse("--busy-poll-us", "10000", GENBA_AGENT_BUSY_POLL_US="50").busy_poll_us == 10_000


@pytest.mark.parametrize("text", ["-1", "10001", "0.5", "²", "soon"])
def test_it_does_not_poll_for_what_is_no_number_of_microseconds(text: str) -> None:
    with pytest.raises(OptionsError, match="GENBA_AGENT_BUSY_POLL_US"):
        parse(GENBA_AGENT_BUSY_POLL_US=text)


def test_token_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN + "\n")
    file = str(tmp_path / "token")
    assert parse(CODER_AGENT_TOKEN="", CODER_AGENT_TOKEN_FILE=file).address.token == TOKEN
    assert parse("--agent-token-file", file, CODER_AGENT_TOKEN="").address.token == TOKEN


def test_flags_of_coder_that_mean_nothing_here_are_accepted() -> None:
    parse("--debug-address", ":0", "--pprof-address=:1", "--block-file-transfer", "--devcontainers-enable=true", "-v")


@pytest.mark.parametrize(
    ("argv", "environ", "remedy"),
    [
        ([], {"CODER_AGENT_URL": ""}, "set CODER_AGENT_URL"),
        ([], {"CODER_AGENT_URL": "ftp://x"}, "http://"),
        ([], {"CODER_AGENT_URL": "http://["}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://a:b"}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://a:99999"}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://256.1.1.1"}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://xn--/"}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://a..b/"}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://a b/"}, "not a web address"),
        ([], {"CODER_AGENT_URL": "http://a\x00b/"}, "not a web address"),
        ([], {"CODER_AGENT_TOKEN": TOKEN[:-1] + "\uff11"}, "UUID"),
        ([], {"CODER_AGENT_HEADER": "X=\u00e9"}, "header X"),
        ([], {"CODER_AGENT_HEADER": "X=a\x00b"}, "header X"),
        ([], {"CODER_AGENT_HEADER": "X\u00e9=1"}, "NAME=VALUE"),
        ([], {"CODER_AGENT_HEADER": "X Y=1"}, "NAME=VALUE"),
        ([], {"CODER_AGENT_TOKEN": ""}, "set CODER_AGENT_TOKEN"),
        ([], {"CODER_AGENT_TOKEN": "", "CODER_AGENT_TOKEN_FILE": "/absent"}, "CODER_AGENT_TOKEN_FILE"),
        ([], {"CODER_AGENT_TOKEN": "abc-def"}, "UUID"),
        (["--auth", "azure-instance-identity"], {}, "set --auth"),
        (["--agent-header", "novalue"], {}, "NAME=VALUE"),
        (["--agent-header-command", "exit 1"], {}, "--agent-header-command"),
        ([], {"CODER_AGENT_SUBSYSTEM": "nonsense"}, "envbuilder"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(argv: list[str], environ: dict[str, str], remedy: str) -> None:
    with pytest.raises(OptionsError, match=r"[.]$") as raised:
        parse(*argv, **environ)
    assert remedy in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://a", "https://a_b.c:8443/x", "http://127.0.0.1:80", "http://[::1]:80", "http://b\u00fccher.de"]
)
def test_web_addresses_are_taken(url: str) -> None:
    assert parse(CODER_AGENT_URL=url).address.url == url


def test_secrets_show_in_no_message_and_no_repr() -> None:
    with pytest.raises(OptionsError) as raised:
        parse("--agent-header", "hunter2")
    assert "hunter2" not in str(raised.value)
    assert TOKEN not in repr(parse("--agent-header", "A=hunter2"))
    assert "hunter2" not in repr(parse("--agent-header", "A=hunter2"))


def test_version_is_what_init_scripts_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        parse("--version")
    assert raised.value.code == 0
    assert capsys.readouterr().out == f"{VERSION_LINE}\n"


@pytest.mark.parametrize(
    ("argument", "variable", "blocks"),
    [
        ("", "", False),
        ("--block-file-transfer", "", True),
        ("--block-file-transfer=false", "true", False),
        ("", "true", True),
        ("", "1", True),
        ("", "0", False),
    ],
)
def test_file_transfers_are_blocked_when_told_to(argument: str, variable: str, blocks: bool) -> None:
    argv = [argument] if argument else []
    assert parse(*argv, CODER_AGENT_BLOCK_FILE_TRANSFER=variable).blocks_file_transfer is blocks
