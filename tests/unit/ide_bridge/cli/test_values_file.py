"""Files of values: JSON and YAML, as written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from genba_ide_bridge.cli.values_file import MAX_DEPTH, read_values_file
from genba_ide_bridge.errors import BridgeError


def read(folder: Path, text: str) -> dict[str, str]:
    file = folder / "values"
    file.write_text(text, encoding="utf-8")
    return read_values_file(file)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", {}),
        ("# nothing\n", {}),
        ("---\n# c\na: x y  # why\n\nb: 'it: is'\n", {"a": "x y", "b": "it: is"}),
        ('a: "x" # c\n', {"a": "x"}),
        ("\ufeffa: x\r\nb: y\r\n", {"a": "x", "b": "y"}),
        ("a: yes\nb: 1.10\nc: 0o17\nd: 2026-11-28\ne: TRUE\nf: 1_000\n",
         {"a": "yes", "b": "1.10", "c": "0o17", "d": "2026-11-28", "e": "TRUE", "f": "1_000"}),
        ('a: "line\\nbreak"\nurl: http://x/#y\n', {"a": "line\nbreak", "url": "http://x/#y"}),
        ("a: |\n  one\n  two\nb: >-\n  x\n  y\n", {"a": "one\ntwo\n", "b": "x y"}),
        ("tools: [git, vim]\n", {"tools": '["git", "vim"]'}),
        ("tools:\n  - git\n  - 1.10\n  - yes\n  - ü\n", {"tools": '["git", "1.10", "yes", "ü"]'}),
        ("o:\n  a: 1\n  b: {c: [~]}\n", {"o": '{"a": "1", "b": {"c": [null]}}'}),
        ("a: ''\nb: 'null'\n", {"a": "", "b": "null"}),
        ("{a: 1, b: two}\n", {"a": "1", "b": "two"}),
    ],
)  # fmt: skip
def test_yaml_is_read_as_it_was_written(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    assert read(tmp_path, text) == values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": "x", "n": 3, "l": ["y"], "b": true}', {"a": "x", "n": "3", "l": '["y"]', "b": "true"}),
        ('{"n": 1.10, "big": 1e400, "l": [1.10, 2]}', {"n": "1.10", "big": "1e400", "l": "[1.10, 2]"}),
        ('\ufeff{\n\t"a": "\\u00fc"}', {"a": "ü"}),
    ],
)
def test_json_is_read_as_it_was_written(tmp_path: Path, text: str, values: dict[str, str]) -> None:
    assert read(tmp_path, text) == values


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "line 1, is not `name: value`"),
        ("just words\n", "line 1, is not `name: value`"),
        ("A=1\nB=2\n", "line 1, is not `name: value`"),
        ("a: 1\nb: 2\na: 3\n", 'line 3, gives "a" again'),
        ("o:\n  a: 1\n  a: 2\n", 'line 3, gives "a" again'),
        ("a: 1\nb:\n", 'line 2, gives "b" no value'),
        ("a: null\n", 'line 1, gives "a" no value'),
        ("a: &x [1]\nb: [*x, *x]\n", "line 2, refers to an anchor"),
        ("a: !!int 3\n", "line 1, has the tag"),
        ("a: !python/object:os.system x\n", "line 1, has the tag"),
        ("? [a]\n: 1\n", "line 1, has a name that is no text"),
        ("a: 1\n---\nb: 2\n", "line 2, is not YAML"),
        ("a: 1\n\tb: 2\n", "line 2, is not YAML"),
        ("a: [1\n", "is not YAML"),
        ("a: @x\n", "line 1, is not YAML"),
        ("a: \x00\n", "is not YAML"),
        ('{"a": }x', "is not YAML"),
        ("a: " + "[" * (MAX_DEPTH + 1), "nests lists and objects"),
        ('{"a": 1, "a": 2}', 'gives "a" twice'),
        ('{"o": {"a": 1, "a": 2}}', 'gives "a" twice'),
        ('{"a": null}', 'gives "a" no value'),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "can't be read as JSON"),
    ],
)
def test_what_is_no_list_of_values_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BridgeError) as caught:
        read(tmp_path, text)
    assert said in caught.value.message
    assert caught.value.message.startswith(str(tmp_path / "values"))


def test_a_name_without_a_value_is_told_in_whole_sentences(tmp_path: Path) -> None:
    said: list[str] = []
    for text in ('{"a": null}', "a:\n"):
        with pytest.raises(BridgeError) as caught:
            read(tmp_path, text)
        said.append(caught.value.message.removeprefix(str(tmp_path / "values")))
    assert said == [' gives "a" no value.', ', line 1, gives "a" no value.']


def test_an_absent_file_and_one_that_is_no_text_are_named(tmp_path: Path) -> None:
    with pytest.raises(BridgeError, match="absent"):
        read_values_file(tmp_path / "absent")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BridgeError, match="binary"):
        read_values_file(tmp_path / "binary")


def test_yaml_is_imported_only_for_a_file() -> None:
    code = (
        "import sys, genba_ide_bridge.cli.commands.create, genba_ide_bridge.cli.commands.templates;"
        "print('yaml' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
