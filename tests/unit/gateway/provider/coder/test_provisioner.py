"""The machine that runs Terraform."""

from __future__ import annotations

import pytest

from genba_gateway.provider.coder.provisioner import name_architecture


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        ("x86_64", "amd64"),
        ("AMD64", "amd64"),
        ("aarch64", "arm64"),
        ("armv7l", "armv7"),
        ("armv6l", "armv7"),
        ("i686", "386"),
        ("riscv64", "riscv64"),
    ],
)
def test_architecture_has_the_name_that_templates_use(machine: str, name: str) -> None:
    assert name_architecture(machine) == name
