"""The IDE bridge: runs on the developer's machine.

* `api/`: the typed client of the gateway's HTTP API, one module per noun, and streams that survive outages
* `cli/`: the `genba` command line; `cli/main.py` owns the command of all programs
* `ssh_config/`: what is written for the user's OpenSSH; `support/`: what is sent to those who help
"""
