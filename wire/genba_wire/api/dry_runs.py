"""Messages of dry runs of template versions (contract 4.2)."""

from __future__ import annotations

from genba_wire.api.message import Message
from genba_wire.api.templates import VariableValue
from genba_wire.api.workspaces import BuildParameter


class CreateDryRunRequest(Message, frozen=True, kw_only=True):
    """POST /templateversions/{version}/dry-run."""

    workspace_name: str = ""
    rich_parameter_values: list[BuildParameter] = []
    user_variable_values: list[VariableValue] = []
