"""What is said for an app's own answer when there is none: what the client, the app or the way between them did."""

from __future__ import annotations

import logging
from typing import Final

from genba_gateway.apps.bodies import BadBody
from genba_gateway.apps.connections import UpstreamLost
from genba_gateway.apps.upstreams import BadAppUrl, parse_app_url
from genba_gateway.domain.app_access import AppAccess, AppRefusal, AppTarget
from genba_gateway.errors import GenbaError, StreamNotAccepted

log = logging.getLogger(__name__)

RETRY_S: Final = 2
"""How soon a page asks again for what is on its way back."""

STOPPING: Final = AppRefusal(503, "The gateway is stopping", "It is back in a moment.", RETRY_S)
LOOP: Final = AppRefusal(
    508, "This address leads in a circle", "What serves the app in its workspace leads back to this gateway."
)


def explain_request(fault: str) -> AppRefusal:
    """What is shown for a request that can be understood in more than one way, or in none."""
    return AppRefusal(400, "This request can't be read", fault)


async def explain_failure(access: AppAccess, error: Exception, target: AppTarget) -> AppRefusal:
    """What is shown for an app that can't be reached, or does not speak HTTP.

    Where in the workspace the app is, and what is said of it there, is for the workspace's owner.
    """
    match error:
        case StreamNotAccepted():
            log.info("the app of agent %s at %s: %s", target.agent_id, target.app_url, error.message)
            return await access.explain_silence(target)
        case BadBody():
            return explain_request(str(error))
        case BadAppUrl() if not target.is_owner:
            return AppRefusal(error.status, "The app can't be shown", "Its address can't be used. Its owner sees why.")
        case GenbaError():
            title = "The workspace can't be reached" if error.status == 502 else "The app can't be shown"
            return AppRefusal(error.status, title, error.message, RETRY_S if error.status > 500 else 0)
        case UpstreamLost():
            title = "The app did not answer"
            if not target.is_owner:
                return AppRefusal(502, title, "It closed the connection. Its owner sees more.")
            return AppRefusal(502, title, f"{parse_app_url(target.app_url).name} closed the connection: {error}")
        case _:
            title = "The app's answer can't be read"
            if not target.is_owner:
                return AppRefusal(502, title, "What it answered is not HTTP. Its owner sees more.")
            name = parse_app_url(target.app_url).name
            return AppRefusal(502, title, f"What {name} answered is not HTTP: {error}. Is it https?")
