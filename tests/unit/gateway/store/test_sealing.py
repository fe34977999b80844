from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genba_gateway.errors import ConfigError
from genba_gateway.store.sealing import KEY_BYTES, Sealer, load_sealer

OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES


def entry(key_id: str, key: bytes) -> str:
    return f"{key_id}={base64.b64encode(key).decode()}"


@given(st.binary(max_size=200))
def test_what_was_sealed_opens(plain: bytes) -> None:
    sealer = Sealer({"k": OLD})
    assert sealer.open(sealer.seal(plain)) == plain
    assert sealer.open_compressed(sealer.seal_compressed(plain)) == plain


def test_texts_open_and_no_two_envelopes_are_alike() -> None:
    sealer = Sealer({"k": OLD})
    first, second = sealer.seal_text("grüße"), sealer.seal_text("grüße")
    assert sealer.open_text(first) == sealer.open_text(second) == "grüße"
    assert first != second


def test_after_a_rotation_old_envelopes_open_and_new_ones_use_the_first_key() -> None:
    old = Sealer({"k1": OLD}).seal(b"secret")
    rotated = Sealer({"k2": NEW, "k1": OLD})
    assert rotated.open(old) == b"secret"
    fresh = rotated.seal(b"secret")
    assert fresh.startswith(b"v1:k2:")
    assert Sealer({"k2": NEW}).open(fresh) == b"secret"


def test_an_envelope_of_an_absent_key_names_it() -> None:
    with pytest.raises(ConfigError, match="'k1'"):
        Sealer({"k2": NEW}).open(Sealer({"k1": OLD}).seal(b"secret"))


def test_another_key_of_the_same_name_does_not_open() -> None:
    with pytest.raises(ConfigError, match="key file"):
        Sealer({"k": NEW}).open(Sealer({"k": OLD}).seal(b"secret"))


def test_an_envelope_may_not_be_given_to_another_key_id() -> None:
    sealed = Sealer({"a": OLD}).seal(b"secret")
    with pytest.raises(ConfigError):
        Sealer({"a": OLD, "b": OLD}).open(sealed.replace(b"v1:a:", b"v1:b:"))


@given(st.data())
def test_no_altered_envelope_opens(data: st.DataObject) -> None:
    sealer = Sealer({"k": OLD})
    sealed = sealer.seal(b"secret")
    place = data.draw(st.integers(0, len(sealed) - 1))
    altered = bytes([*sealed[:place], sealed[place] ^ data.draw(st.integers(1, 255)), *sealed[place + 1 :]])
    with pytest.raises(ConfigError):
        sealer.open(altered)


@given(st.integers(0, 200))
def test_no_envelope_that_was_cut_off_opens(length: int) -> None:
    sealer = Sealer({"k": OLD})
    sealed = sealer.seal(b"secret")
    with pytest.raises(ConfigError):
        sealer.open(sealed[: min(length, len(sealed) - 1)])


def test_a_key_file_is_made_for_its_owner_only_and_read_again(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    sealed = load_sealer(file, {}).seal(b"secret")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_sealer(file, {}).open(sealed) == b"secret"


def test_keys_of_the_environment_go_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    keys = {"GENBA_ENCRYPTION_KEYS": f"{entry('k2', NEW)}, {entry('k1', OLD)}"}
    sealer = load_sealer(file, keys)
    assert not file.exists()
    assert sealer.open(Sealer({"k1": OLD}).seal(b"a")) == b"a"
    assert sealer.seal(b"a").startswith(b"v1:k2:")


@pytest.mark.parametrize(
    "text", ["k1", "k1=", "k1=AAAA", "k1=not base64!", f"={entry('', OLD)}", entry("a:b", OLD), entry("k1", OLD + b"x")]
)
def test_a_key_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load_sealer(tmp_path / "keys", {"GENBA_ENCRYPTION_KEYS": text})


def test_an_empty_key_file_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.touch()
    with pytest.raises(ConfigError, match="no encryption key"):
        load_sealer(file, {})
    assert file.read_text() == ""


def test_a_lost_key_file_is_not_replaced_beside_a_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="restore the file"):
        load_sealer(tmp_path / "keys", {}, has_data=True)
    assert not (tmp_path / "keys").exists()
