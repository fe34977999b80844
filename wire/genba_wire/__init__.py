"""What crosses a process boundary: API messages, versions, the transport. Pure but for `aio/`.

* `version`: the one version string and the level of Coder's API it stands for
* `api/`: JSON messages of the HTTP API, one module per noun
* `tunnel/`: links that outlive connections, and streams on them
* `schedule`: when scripts run; the provider checks by it, the agent runs by it
* `ssh_names`: names of hosts that say whose workspace is meant
* `websocket_frames` (with `websocket_parser`): frames of websockets, unmasked by C code of the library of that name
* `http_frames`: a carrier's messages as one stream of bytes, where they go over plain HTTP requests
* `buffers`: what bytes look like on the data path
* `aio/`: the one part that may import asyncio, httpx and websockets
"""
