"""The language server that editors talk to (docs/bridge.md).

* `server`: wires everything together and owns the top TaskGroup
* `editor_protocol`: pygls, with what we need of it in types
* `messages`: parameters and results of the requests
* `rpc_errors`: from our errors to those of JSON-RPC
* `stdio`, `websocket_editor`: the two ways to an editor
* `sign_in`: the session, shared with the command line
* `workspaces`, `workspace_book`: watching workspaces, and the deltas that are told
* `builds`: starting and stopping
* `agents`: from an agent to its workspace
* `bulk`: the loopback websocket that carries the bytes of logs and terminals; `loopback`: what such servers check
* `logs`, `terminals`: what flows there
"""
