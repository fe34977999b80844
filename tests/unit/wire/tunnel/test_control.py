"""Commands of the gateway and answers of the agent."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_wire.errors import RemoteProtocolError
from genba_wire.tunnel.control import Dial, DialFailed, encode, parse_answer, parse_command

NONCE = "5f0c2a52-6d7b-4d1f-9a33-0a1c9b3f7e21"


def test_command_and_answer_have_their_json() -> None:
    dial = Dial(nonce=NONCE, build_id="b", ticket="t", purpose="terminal")
    body = f'{{"type":"dial","nonce":"{NONCE}","build_id":"b","ticket":"t","purpose":"terminal"}}'
    assert encode(dial) == body.encode()
    assert parse_command(encode(dial)) == dial
    failed = DialFailed(nonce=NONCE, reason="no")
    assert encode(failed) == f'{{"type":"dial_failed","nonce":"{NONCE}","reason":"no"}}'.encode()
    assert parse_answer(encode(failed)) == failed


def test_unknown_type_is_ignored_and_so_are_unknown_keys() -> None:
    assert parse_command(b'{"type":"prefetch","x":[1]}') is None
    assert parse_answer(b'{"type":"dial"}') is None
    command = f'{{"type":"dial","nonce":"{NONCE}","build_id":"b","ticket":"t","later":{{}}}}'
    assert parse_command(command.encode()) == Dial(nonce=NONCE, build_id="b", ticket="t")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"type":1}',
        b'{"type":"dial"}',
        b'{"type":"dial","nonce":"no uuid","build_id":"b","ticket":"t"}',
        b'{"type":"\xff"}',
        b'{"x":' + b"[" * 100_000,
    ],
)
def test_broken_command_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse_command(data)


@given(st.binary(max_size=100))
def test_random_bytes_raise_nothing_else(data: bytes) -> None:
    for parse in (parse_command, parse_answer):
        with contextlib.suppress(RemoteProtocolError):
            parse(data)
