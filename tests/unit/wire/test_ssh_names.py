"""Names of hosts with their owners."""

from __future__ import annotations

import pytest

from genba_wire.ssh_names import name_owner, split_owner


@pytest.mark.parametrize("host", ["genba.dev", "main.dev.genba"])
def test_an_owner_that_was_named_is_found_again(host: str) -> None:
    assert split_owner(name_owner(host, "Alice")) == (host, "alice")


@pytest.mark.parametrize("host", ["", "genba.dev", "genba.alice--dev.main", "dev.of.alice"])
def test_a_name_without_an_owner_stays_whole(host: str) -> None:
    assert split_owner(host) == (host, "")
