"""The relay: joins a client's carrier to an agent's.

Below the services, above the domain; it knows no SQL, and Quart only in `quart_end`.

* `takeover`: Hypercorn's connections, and taking one's transport after the 101; `connection_context` is one's context,
  `http_answers` what ASGI has no message for, `http_requests` what Hypercorn overlooks
* `quart_end`: the slower way, where the transport can't be taken; and `accepted_end`, which chooses the way
* `http_end`, `http_carriers`: ends over plain HTTP requests, for peers that no websocket reaches
* `ends`: what an end of a session is, and the carrier (messages) on it
* `unmasking`: the headers of a client's frames rewritten as a server's, the payload unread
* `splice`: joining two ends; `joint` says what that gives, `transport_joint` does it for bytes (two taken
  transports), `carrier_joint` for messages (any two carriers)
* `rendezvous`: the gateway's request for a carrier meets the carrier that the agent opens
"""
