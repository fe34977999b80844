"""The `genba/genba` provider: workspaces on the gateway's own machine.

host is the agent's process and home its files; permission says whether a build may have them; folders, environment and
processes are what they are made of; leftovers removes what killed builds left behind; provider puts them together.
"""
