"""The proxy for workspace apps: ASGI in front of Quart, since user content never reaches the dashboard's routes.

* `front`: which requests are for apps, and what `AppAccess` decides on them carried out
* `requests`: an ASGI scope as an `AppRequest`; what is refused unread
* `exchange`: one request handed on, and its answer; `bodies` takes the request's body, `request_trailers` what of its
  trailers passes
* `handshakes`: a websocket's handshake handed on; then bytes (`websocket_joint`) or, over HTTP/2, messages
  (`websocket_messages`)
* `headers`, `cookies`, `upstreams`: what is changed on the way, and where it leads: pure
* `responses`: answers of apps read (by h11; what `plain_answers` can by httptools), pure
* `connections`, `pool`, `tls_way`: connections to apps over streams of the gateway's own links to agents
* `refusals`: pages and texts that say why not
"""
