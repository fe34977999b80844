"""The Terraform providers that ship with the gateway, served in its own process.

From the wire inwards: host makes sockets for a build and tells Terraform of them; endpoint and server speak the
protocol (tfplugin6.proto); catalogue lists the providers, `coder` and `genba`, a folder each. They are written in terms
of schema (what a resource is), values (Terraform's values), plan (the rules of plan and apply), checks and problems
(what is refused, and how it is said) and context (a build's inputs). host_workspaces, host_supervisor and host_runs
belong to workspaces that run on the gateway's machine.
"""
