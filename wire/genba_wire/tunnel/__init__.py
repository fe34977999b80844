"""Links that outlive connections, and streams on them. Pure: bytes in, events out; time is an argument.

From the outside in (docs/protocol.md has every byte):

* `frames` (with `frame_types`): what a carrier carries, one message at a time: greeting, resuming, data, commands
* `secret`: the secret of a link, and the proofs that a resume needs
* `liveness`: when to ping, and when a carrier is dead
* `greeting`: the agent's end of a carrier, until it is known which link it is for
* `link`: one reliable byte pipe between a client process and an agent, over one carrier after another
* `replay`: what a link keeps of what it sent, to send it again on the next carrier
* `mux_frames`, `mux` (with `credit`): streams with credit inside the bytes of a link
* `streams`: what is said when a stream of some kind opens, and the notes on it
* `control`: commands of the gateway to an agent, and its answers
* `json_messages`: how the small JSON objects of the last two are read
"""
