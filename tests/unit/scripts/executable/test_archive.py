"""The tar behind a script."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from scripts.executable.archive import digest_of, fill_head, list_packages, pack, write_program


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("x")
    before = pack({"site/one": one})
    os.utime(one, (1, 1))
    two.write_text("x")
    assert pack({"site/one": two}) == before == pack({"site/one": one})


def test_order_and_the_executable_bit_are_kept(tmp_path: Path) -> None:
    script, text = tmp_path / "script", tmp_path / "text"
    script.write_text("x")
    script.chmod(0o700)
    text.write_text("y")
    text.chmod(0o600)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(pack({"b": script, "a": text})))) as tar:
        assert [(entry.name, entry.mode, entry.uid, entry.mtime) for entry in tar] == [
            ("b", 0o755, 0, 0),
            ("a", 0o644, 0, 0),
        ]


def test_a_head_knows_the_line_behind_it() -> None:
    assert fill_head("#!/bin/sh\n# @NAME@\ntail -n +@FIRST_LINE@\n", {"NAME": "n"}) == (b"#!/bin/sh\n# n\ntail -n +4\n")


def test_a_digest_tells_contents_and_places_apart(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    (tmp_path / "y").write_text("y")
    x, y = tmp_path / "x", tmp_path / "y"
    digests = {digest_of(files, seed) for files in ({"a": x}, {"a": y}, {"b": x}) for seed in ("", "s")}
    assert len(digests) == 6


def test_packages_come_without_compiled_files() -> None:
    places = list_packages(("wire/genba_wire",))
    assert "site/genba_wire/version.py" in places
    assert not [place for place in places if "__pycache__" in place]


def test_a_program_that_could_not_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    write_program(tmp_path / "program", b"x")
    assert (tmp_path / "program").stat().st_mode & 0o777 == 0o755
    (tmp_path / "folder" / "in it").mkdir(parents=True)
    with pytest.raises(OSError, match="folder"):
        write_program(tmp_path / "folder", b"x")
    assert {path.name for path in tmp_path.iterdir()} == {"program", "folder"}
