"""What `genba` writes for the user's OpenSSH.

* `known_hosts`: the authority for the host keys of workspaces
* `quoting`: words as ssh's own grammar and the user's shell take them apart again
* `ssh_options`: options of users and of gateways, checked and merged
* `host_blocks`: our own file, with the blocks of `Host`, and what it remembers
* `include_line`: our one line in the user's config, as bytes
* `user_file`: replaces a file of the user's, and leaves it as it was in everything but that line
* `ssh_check`: asks the real ssh whether it takes all that
* `installation`: all of it, done or undone
"""
