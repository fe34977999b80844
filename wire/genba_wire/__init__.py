"""What crosses a process boundary: API messages, versions, the transport. Pure but for `aio/`.

* `version`: the one version string and the level of Coder's API it stands for
* `api/`: JSON messages of the HTTP API, one module per noun
* `aio/`: the one part that may import asyncio, httpx and websockets
"""
