"""Templates for end-to-end tests: the `host` starter with additions, and small ones without an agent."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.support.real_gateway import read_starter

CODER: Final = """
terraform {
  required_providers {
    coder = {
      source = "coder/coder"
    }
  }
}

data "coder_workspace" "me" {}
"""
"""The beginning of a template that needs no agent."""


def host_template(**additions: str) -> dict[str, str]:
    """The `host` starter and more files: their names without `.tf`, and their text."""
    return {**read_starter("host"), **{f"{name}.tf": text for name, text in additions.items()}}


def script(name: str, text: str, *, run_on_stop: bool = False, blocks: bool = False) -> str:
    """A script of the starter's agent, run when it starts, or only when it stops; with `blocks` logins wait for it."""
    return f"""
resource "coder_script" "{name}" {{
  agent_id     = coder_agent.main.id
  display_name = "{name}"
  run_on_start = {str(not run_on_stop).lower()}
  run_on_stop  = {str(run_on_stop).lower()}
  start_blocks_login = {str(blocks).lower()}
  script       = <<-EOT
    #!/bin/sh
    {text}
  EOT
}}
"""


def busy_resource(gate: Path, *, after: str = "") -> str:
    """A resource that exists while the workspace runs, and keeps its apply busy until the gate is there.

    Its script leaves `<gate>.began`, and has a child that takes no notice of an interrupt.
    """
    return f"""
resource "terraform_data" "busy" {{
  count      = data.coder_workspace.me.start_count
  depends_on = [{after}]

  provisioner "local-exec" {{
    command = <<-EOT
      touch '{gate}.began'
      (trap '' INT; until [ -e '{gate}' ]; do sleep 0.05; done) &
      wait
    EOT
  }}
}}
"""


def slow_template(gate: Path) -> dict[str, str]:
    """A template without an agent: `terraform_data.first` is quick, then one waits for the gate."""
    first = 'resource "terraform_data" "first" {\n  input = "kept"\n}\n'
    return {"main.tf": CODER + first + busy_resource(gate, after="terraform_data.first")}
