"""The zip and the files in it."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import pytest

from genba_ide_bridge.errors import BridgeError
from genba_ide_bridge.support.bundle import Bundle, add_client, format_log
from genba_ide_bridge.support.redaction import Redactor


def make_bundle() -> Bundle:
    return Bundle(Redactor(["secret-value"], "/home/al"))


def test_a_log_has_a_line_for_each_entry_of_either_kind() -> None:
    lines = [
        {"created_at": "T", "log_level": "info", "stage": "Planning", "output": "one\r\n"},
        {"created_at": "T", "level": "error", "output": "two"},
        "nonsense",
    ]
    assert format_log(lines) == "T info Planning one\nT error  two\n"
    assert format_log({"message": "no list"}) == ""


def test_all_files_lose_their_secrets(tmp_path: Path) -> None:
    found = make_bundle()
    found.add_text("a.txt", "a secret-value")
    found.add_json("b.json", {"b": "secret-value"})
    found.errors.append("c: secret-value")
    add_client(found, {"PATH": "/home/al/secret-value", "OTHER": "x"}, "https://al:pw@gw.test")
    found.write(tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()]
    assert not [text for text in texts if "secret-value" in text or "al:pw" in text]
    assert found.files["client/environment.txt"] == "OTHER=[redacted]\nPATH=~/[redacted]\n"


def test_a_zip_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x.zip"
    target.write_bytes(b"before")

    def fail(_source: str, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(BridgeError, match="No space left"):
        make_bundle().write(target)
    assert (os.listdir(tmp_path), target.read_bytes()) == (["x.zip"], b"before")
