"""`data.coder_provisioner`: the machine that runs Terraform."""

from __future__ import annotations

import platform
import uuid

from genba_gateway.provider.context import Session
from genba_gateway.provider.schema import Attribute, Block, Mode, ReadOnly, Schema, computed_id
from genba_gateway.provider.values import Fields, Object

# What Python calls a CPU, and what templates compare with (Go's names; 32-bit ARM as armv7).
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i686": "386"}

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("os", mode=Mode.COMPUTED, description="Its system: linux, darwin or windows."),
            Attribute("arch", mode=Mode.COMPUTED, description="Its CPU: amd64, arm64, armv7."),
        ),
        description="The machine that runs Terraform.",
    ),
    version=1,
)


class Provisioner(ReadOnly):
    """The data source."""

    name = "coder_provisioner"
    schema = SCHEMA

    async def read(self, session: Session, config: Fields) -> Object:
        """Look at this machine."""
        del session, config
        return {
            "id": str(uuid.uuid4()),
            "os": platform.system().lower(),
            "arch": name_architecture(platform.machine()),
        }


def name_architecture(machine: str) -> str:
    """Give the name that templates use for a CPU."""
    machine = machine.lower()
    if machine.startswith("armv"):
        return "armv7"
    return ARCHITECTURES.get(machine, machine)
