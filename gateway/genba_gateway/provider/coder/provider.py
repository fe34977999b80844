"""The `coder/coder` provider: what it consists of, and its provider block."""

from __future__ import annotations

from genba_gateway.provider.checks import is_url
from genba_gateway.provider.coder.agent import Agent
from genba_gateway.provider.coder.app import App
from genba_gateway.provider.coder.env import Env
from genba_gateway.provider.coder.metadata import Metadata
from genba_gateway.provider.coder.parameter import Parameter
from genba_gateway.provider.coder.provisioner import Provisioner
from genba_gateway.provider.coder.script import Script
from genba_gateway.provider.coder.workspace import Workspace
from genba_gateway.provider.coder.workspace_owner import WorkspaceOwner
from genba_gateway.provider.coder.workspace_preset import WorkspacePreset
from genba_gateway.provider.schema import Attribute, Block, Provider, Schema


def make_coder_provider() -> Provider:
    """Give the provider that templates name as `coder/coder`."""
    url = Attribute("url", checks=(is_url,), description="The gateway's URL for agents.")
    return Provider(
        "coder",
        Schema(Block((url,))),
        (Agent(), App(), Script(), Env(), Metadata()),
        (Parameter(), Provisioner(), Workspace(), WorkspaceOwner(), WorkspacePreset()),
    )
