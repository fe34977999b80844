"""`coder_app`: something that a workspace offers to open: a web page behind the gateway, a command, a link."""

from __future__ import annotations

import re
import uuid

from genba_gateway.provider.checks import is_url, longest, one_of
from genba_gateway.provider.context import Session
from genba_gateway.provider.schema import (
    Attribute,
    Block,
    DeclaredResource,
    Mode,
    NestedBlock,
    Nesting,
    Schema,
    computed_id,
)
from genba_gateway.provider.values import Fields, Object, Primitive, Value

NUMBER = Primitive.NUMBER
BOOL = Primitive.BOOL
REQUIRED = Mode.REQUIRED

# A slug becomes part of a host name.
SLUG = re.compile(r"[a-z0-9](?:-?[a-z0-9])*")


def _is_slug(value: Value) -> str | None:
    if isinstance(value, str) and SLUG.fullmatch(value):
        return None
    return (
        f"{value!r} can't be part of a host name. Use lower-case letters and digits, and single hyphens between them."
    )


HEALTHCHECK = Block(
    (
        Attribute("url", mode=REQUIRED, description="What the agent asks for; below 500 counts as healthy."),
        Attribute("interval", NUMBER, REQUIRED, description="Seconds between two checks."),
        Attribute("threshold", NUMBER, REQUIRED, description="Failed checks in a row that make it unhealthy."),
    ),
    description="How the agent finds out whether the app works.",
)

SCHEMA = Schema(
    Block(
        (
            computed_id(),
            Attribute("agent_id", mode=REQUIRED, description="The agent that serves it."),
            Attribute(
                "command",
                conflicts_with=("url", "subdomain"),
                description="Command that a terminal in the browser runs.",
            ),
            Attribute("icon", checks=(is_url,), description="Where its picture is."),
            Attribute("slug", mode=REQUIRED, checks=(_is_slug,), description="Its name in URLs."),
            Attribute("display_name", checks=(longest(64),), description="Name that users see."),
            Attribute("subdomain", BOOL, description="Serve it under a host name of its own."),
            Attribute(
                "share",
                default="owner",
                checks=(one_of("owner", "authenticated", "public"),),
                description="Who may open it.",
            ),
            Attribute("url", conflicts_with=("command",), description="Where it listens, seen from the agent."),
            Attribute(
                "external",
                BOOL,
                default=False,
                conflicts_with=("healthcheck", "command", "subdomain", "share"),
                description="The URL is opened as it is, not through the gateway.",
            ),
            Attribute("group", checks=(longest(64),), description="Apps of one group are shown together."),
            Attribute("order", NUMBER, description="Position among the agent's apps; smaller comes first."),
            Attribute("hidden", BOOL, default=False, description="Not shown, but there."),
            Attribute(
                "open_in",
                default="slim-window",
                checks=(one_of("tab", "slim-window"),),
                description="Where the browser opens it.",
            ),
            Attribute("tooltip", checks=(longest(2048),), description="Markdown that is shown next to it."),
        ),
        (NestedBlock("healthcheck", HEALTHCHECK, Nesting.SET, max_items=1, conflicts_with=("command",)),),
        description="Something that a workspace offers to open.",
    ),
    version=1,
)


class App(DeclaredResource):
    """The app."""

    name = "coder_app"
    schema = SCHEMA

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make its id."""
        del session, planned
        return {"id": str(uuid.uuid4())}
