"""What leaves the machine holds no secrets."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_ide_bridge.support.redaction import REDACTED, Redactor, is_secret_name, secrets_of_environment

SECRET = "hunter2-hunter2"
PLAIN = Redactor([], "")
KNOWING = Redactor([SECRET, f"{SECRET}-longer", 'qu"ote\\d secret', "", "ab"], "/home/al")


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"DB_PASSWORD: {SECRET}",
        f'{{"api_key": "{SECRET}"}}',
        f"export GITHUB_TOKEN='{SECRET} and more'",
        f"token.value => {SECRET}",
        f"curl --token {SECRET} x",
        f"https://user:{SECRET}@host/path",
        f"postgres+asyncpg://{SECRET}@host/path",
        f"Authorization: Digest username={SECRET}, x",
        f"Set-Cookie: a={SECRET}; Path=/",
        f"coder-session-token: {SECRET}",
        f"with Bearer {SECRET}",
        f"https://host/x?a=b&access_token={SECRET}&c=d",
        f"-----BEGIN OPENSSH PRIVATE KEY-----\n{SECRET}\n-----END OPENSSH PRIVATE KEY-----",
        f"2026 info -----BEGIN PRIVATE KEY-----\n2026 info {SECRET}\n2026 info and the end is missing",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\\n{SECRET}",
    ],
)
def test_what_is_marked_as_a_secret_goes(text: str) -> None:
    redacted = PLAIN.text(f"before {text}")
    assert SECRET not in redacted
    assert redacted.startswith("before ")
    assert REDACTED in redacted


@pytest.mark.parametrize(
    "secret",
    [
        "ghp_" + "a1" * 18,
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-def_123",
        "abcdefghij-abcdefghijklmnopqrstuv",
        "glpat-abcdefghijklmnopqrst",
    ],
)
def test_what_looks_like_a_secret_goes_without_a_mark(secret: str) -> None:
    assert PLAIN.text(f"a {secret} b") == f"a {REDACTED} b"


@pytest.mark.parametrize(
    "text",
    [
        "The token has expired, sign in again.",
        "https://gateway.test/path?q=owner:me",
        "id 44444444-4444-4444-8444-444444444444 key ssh-ed25519 AAAAC3Nza",
        "Basic setup done; no secrets here",
        "git clone git@github.com:a/b.git",
    ],
)
def test_what_is_harmless_stays(text: str) -> None:
    assert PLAIN.text(text) == text


@given(st.text(max_size=40), st.sampled_from([SECRET, f"{SECRET}-longer", 'qu"ote\\d secret']), st.text(max_size=40))
def test_known_secrets_go_wherever_they_stand(before: str, secret: str, after: str) -> None:
    assert secret not in KNOWING.text(before + secret + after)
    assert "longer" not in KNOWING.text(f"{SECRET}-longer")
    inside = json.dumps(KNOWING.json({"a": [{before + secret: secret + after}]}))
    assert json.dumps(secret)[1:-1] not in inside


def test_the_home_folder_is_named_by_its_sign() -> None:
    redactor = Redactor([], "/home/al/")
    assert redactor.text("in /home/al/x, /home/al and /home/alice") == "in ~/x, ~ and /home/alice"
    assert Redactor([], "/").text("/x") == "/x"


def test_json_keeps_its_shape_and_loses_its_secrets() -> None:
    raw = {
        "id": "1",
        "environment_variables": {"A": "x", "B": ""},
        "rich_parameter_values": [{"name": "size", "value": "big"}],
        "session_token": "x",
        "output": f"password={SECRET}",
        "count": 3,
        "metadata": [{"key": "cpu", "value": None}],
    }
    assert PLAIN.json(raw) == {
        "id": "1",
        "environment_variables": {"A": REDACTED, "B": ""},
        "rich_parameter_values": [{"name": "size", "value": REDACTED}],
        "session_token": REDACTED,
        "output": f"password={REDACTED}",
        "count": 3,
        "metadata": [{"key": "cpu", "value": None}],
    }


def test_the_environment_shows_harmless_values_and_the_names_of_the_rest() -> None:
    variables = {
        "PATH": "/home/al/bin:/bin",
        "MY_OWN": "private",
        "CODER_SESSION_TOKEN": SECRET,
        "GENBA_HEADER": f"X-Auth={SECRET}",
        "CODER_HEADER_COMMAND": f"echo {SECRET}",
        "CODER_PG_CONNECTION_URL": SECRET,
        "GENBA_URL": "https://gw.test",
        "https_proxy": f"http://al:{SECRET}@proxy:3128",
        "EMPTY": "",
    }
    shown = Redactor(secrets_of_environment(variables), "/home/al").environment(variables)
    assert list(shown) == sorted(variables)
    assert SECRET not in str(shown)
    assert (shown["PATH"], shown["GENBA_URL"], shown["EMPTY"]) == ("~/bin:/bin", "https://gw.test", "")
    assert (shown["MY_OWN"], shown["https_proxy"]) == (REDACTED, f"http://{REDACTED}@proxy:3128")


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "X-Api-Key", "cookie", "DATABASE_URL", "pwd"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["key", "PATH", "keyboard", "XDG_SESSION_TYPE", "workspace_name"])
def test_other_names_are_harmless(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize("unit", ["a", "a.", "token", "eyJ", "-----BEGIN PRIVATE KEY-----\n", "x_", "://", "--", "a:"])
def test_long_texts_take_no_longer_than_their_length(unit: str) -> None:
    # Quadratic time would be minutes here, which the test run's own limit ends.
    PLAIN.text(unit * (400_000 // len(unit)))
