"""The client of the gateway's HTTP API.

* `connect`: opens the transport, with a lean import of it
* `calls`: one request and its answer, typed or as raw JSON
* `client`: all nouns over one transport
* `users`, `templates`, `workspaces`, `agents`, `deployment`: the routes, one module per noun
* `streams`: logs and watches that survive outages
"""
