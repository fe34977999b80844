"""The `coder/coder` provider, one module per resource or data source.

agent, app, script (with cron), env, metadata are resources; parameter (with parameter_types and parameter_rules),
provisioner, workspace, workspace_owner, workspace_preset are data sources; provider puts them together.
"""
