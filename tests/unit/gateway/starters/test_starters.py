"""The starters that ship."""

from __future__ import annotations

import pytest

from genba_gateway.starters import list_starters, read_starter


def test_every_starter_has_a_template_and_words_for_users() -> None:
    assert "host" in list_starters()
    for name in list_starters():
        folder = read_starter(name)
        assert (folder / "main.tf").is_file()
        assert (folder / "README.md").read_text().startswith("---\ndisplay_name: ")


def test_unknown_starter_is_refused_with_those_that_are_there() -> None:
    with pytest.raises(KeyError, match="host"):
        read_starter("../host")


def test_code_server_is_the_same_in_every_starter_that_has_it() -> None:
    for name in ("code-server.tf", "code-server.sh"):
        assert (read_starter("docker") / name).read_bytes() == (read_starter("host") / name).read_bytes()
