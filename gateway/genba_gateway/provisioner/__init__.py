"""Runs real Terraform for template imports and workspace builds.

`terraform.py` holds `TerraformProvisioner`, what services call. Around it:

- `terraform_binary.py` finds or downloads the program;
- `archive.py`, `extraction.py` check what users upload and unpack it;
- `template_source.py`, `variable_values.py` read a template's `.tf` files and write the values of its variables;
- `template_cache.py`, `job_directory.py` keep initialised templates and the private directory of each job;
- `execution.py`, `sessions.py`, `recovery.py` run one Terraform process, stop it, and clean up after a crash;
- `job_log.py`, `terraform_output.py` turn Terraform's output into lines of a job's log;
- `terraform_json.py`, `plan_graph.py`, `resources.py`, `agents.py`, `parameters.py` turn plans and states into
  the model.
"""
