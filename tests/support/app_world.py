"""Who may use which app: the real rules on a real database, with browsers that keep cookies as real ones do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, Final, NoReturn
from urllib.parse import parse_qs, urlsplit

import sqlalchemy as sa

from genba_gateway.domain.actors import AgentActor, UserActor
from genba_gateway.domain.app_access import AppDecision, AppGranted, AppRedirect, AppRequest
from genba_gateway.domain.app_hosts import AppHosts, make_app_hosts
from genba_gateway.domain.provisioning import AppSpec
from genba_gateway.services.app_access import AppGate
from genba_gateway.services.app_openings import AppOpenings
from genba_gateway.services.app_places import AppPlaces
from genba_gateway.services.app_sessions import AUTH_REDIRECT, AppSessions
from genba_gateway.services.app_tokens import AppTokens
from genba_gateway.services.app_usage import AppUsage
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.store import tables
from genba_gateway.store.engine import Database
from tests.support.agent_rows import AgentRows, fill_agent_rows, make_agent_spec
from tests.support.database import FilledDatabase

LOCAL: Final = make_app_hosts("http://127.0.0.1:3000")
SECURE: Final = make_app_hosts(
    "https://genba.example.com", apps_url="https://apps.example.net", wildcard_access_url="*.apps.example.com"
)
MAX_HOPS: Final = 12
APPS: Final = {"code": "owner", "team": "authenticated", "site": "public"}
"""The apps of the world's workspace, and with whom each is shared."""


def make_app_spec(slug: str, level: str = "owner", url: str = "") -> AppSpec:
    """An app that is served by the gateway."""
    return AppSpec(slug=slug, display_name=slug, url=url or "http://localhost:13337/", sharing_level=level)


@dataclass(slots=True)
class AppWorld:
    """`ana` owns the workspace `dev` with the apps above; `bob` owns nothing; `root` administrates."""

    rows: AgentRows
    hosts: AppHosts
    sessions: AppSessions
    gate: AppGate
    usage: AppUsage
    agent: AgentActor

    def browser(self, user: UserActor | None = None) -> Browser:
        """A browser, whose user is signed in at the dashboard or not."""
        return Browser(self, user)

    def path_url(self, app: str, rest: str = "") -> str:
        """An app's address by path."""
        return f"{self.hosts.apps_url}/@ana/dev.main/apps/{app}/{rest}"

    def subdomain_url(self, app: str, rest: str = "") -> str:
        """The address of an app's own host."""
        return self.hosts.make_subdomain_url("ana", "dev", "main", app) + rest

    async def execute(self, statement: sa.Executable) -> None:
        """Change rows."""
        async with self.rows.database.write() as connection:
            await connection.execute(statement)

    async def set_agent(self, **values: object) -> None:
        """Change the agent's row."""
        table = tables.workspace_agents
        await self.execute(table.update().where(table.c.id == self.agent.agent_id).values(**values))

    async def list_audited(self) -> list[tuple[str | None, str]]:
        """Who opened which app, by the audit log."""
        logs = tables.audit_logs
        query = sa.select(logs.c.user_id, logs.c.resource_target).where(logs.c.resource_type == "workspace_app")
        async with self.rows.database.read() as connection:
            return [(row[0], row[1]) for row in (await connection.execute(query.order_by(logs.c.time))).all()]


@dataclass(slots=True)
class Browser:
    """Keeps cookies by host and path, follows redirects, and knows the dashboard's user."""

    world: AppWorld
    user: UserActor | None
    jar: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict[tuple[str, str], dict[str, str]])
    hops: list[str] = field(default_factory=list[str])
    set_cookies: list[str] = field(default_factory=list[str])
    is_keeping: bool = True

    async def open(self, url: str, **headers: Any) -> AppDecision | str:
        """Go to an address by a link; the last decision, or where the way led when it is no app's."""
        self.hops = [url]
        while len(self.hops) <= MAX_HOPS:
            decision = await self.ask(url, **headers)
            if not isinstance(decision, AppRedirect):
                return decision
            url = decision.location
            self.hops.append(url)
            if url.startswith(self.world.hosts.access_url):
                led = await self._visit_dashboard(url)
                if led is None:
                    return url
                url = led
                self.hops.append(url)
        raise AssertionError(f"redirected without end: {self.hops}")

    async def ask(self, url: str, *, method: str = "GET", is_websocket: bool = False, **headers: Any) -> AppDecision:
        """One request, with the cookies that a browser sends there; it keeps those that it gets."""
        parts = urlsplit(url)
        cookies = self.cookies_for(parts.netloc, parts.path)
        sent = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-site": "none"}
        if is_websocket:
            sent = {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies)
        decision = await self.world.gate.decide(
            AppRequest(
                origin=self.world.hosts.classify(parts.netloc) or make_nothing(parts.netloc),
                method=method,
                scheme=parts.scheme,
                host=parts.netloc,
                raw_path=parts.path,
                query=parts.query,
                headers=[(name.encode(), value.encode()) for name, value in sent.items() if value],
                client_address="192.0.2.7",
                is_websocket=is_websocket,
            )
        )
        if isinstance(decision, AppGranted | AppRedirect):
            self._keep(parts.netloc, decision.set_cookies)
        return decision

    def cookies_for(self, host: str, path: str) -> list[tuple[str, str]]:
        """What is sent with a request, longer paths first (RFC 6265, 5.4)."""
        fitting = [key for key in self.jar if key[0] == host and (path == key[1] or path.startswith(key[1]))]
        ordered = sorted(fitting, key=lambda key: -len(key[1]))
        return [pair for key in ordered for pair in self.jar[key].items()]

    def forget(self, name: str) -> None:
        """Lose the cookies whose names end so."""
        for kept in self.jar.values():
            for each in [each for each in kept if each.endswith(name)]:
                del kept[each]

    def _keep(self, host: str, set_cookies: tuple[str, ...]) -> None:
        self.set_cookies += set_cookies
        for header in set_cookies if self.is_keeping else ():
            for name, morsel in SimpleCookie(header).items():
                assert not morsel["domain"], "cookies are of their host alone"
                kept = self.jar.setdefault((host, morsel["path"]), {})
                kept[name] = morsel.value

    async def _visit_dashboard(self, url: str) -> str | None:
        parts = urlsplit(url)
        if parts.path != AUTH_REDIRECT or self.user is None:
            return None
        query: Mapping[str, list[str]] = parse_qs(parts.query)
        return await self.world.sessions.connect(self.user, query["redirect_uri"][0], query.get("state", [""])[0])


def make_nothing(host: str) -> NoReturn:
    """Say that a test asked for a host that the proxy would not hand to the rules of apps."""
    raise AssertionError(f"{host} is no host of apps")


@asynccontextmanager
async def open_app_world(tmp_path: Path, hosts: AppHosts = LOCAL) -> AsyncGenerator[AppWorld]:
    """Everything wired as the gateway does."""
    database, agent = await _FILLED.open(tmp_path)
    try:
        yield _wire(AgentRows(database), hosts, agent)
    finally:
        await database.close()


def _wire(rows: AgentRows, hosts: AppHosts, agent: AgentActor) -> AppWorld:
    sessions = AppSessions(rows.database, hosts, rows.clock)
    usage = AppUsage(rows.database, rows.pubsub, rows.clock)
    gate = AppGate(
        rows.database,
        rows.pubsub,
        hosts,
        places=AppPlaces(rows.database, rows.sealer),
        sessions=sessions,
        tokens=AppTokens(TicketKeys(rows.database, rows.sealer, rows.clock), rows.clock),
        openings=AppOpenings(rows.database, rows.clock),
        usage=usage,
        now=rows.clock,
    )
    return AppWorld(rows, hosts, sessions, gate, usage, agent)


async def _fill(database: Database) -> AgentActor:
    await fill_agent_rows(database)
    rows = AgentRows(database)
    workspace_id = await rows.add_workspace("dev")
    spec = replace(make_agent_spec(), apps=tuple(make_app_spec(slug, level) for slug, level in APPS.items()))
    await rows.add_agents(await rows.add_resource(await rows.add_build(workspace_id)), [spec])
    agent = await rows.find_actor(spec)
    assert agent is not None
    async with database.write() as connection:
        await connection.execute(tables.workspace_agents.update().values(last_connected_at=rows.clock()))
        await connection.execute(tables.provisioner_jobs.update().values(completed_at=rows.clock()))
    return agent


_FILLED: Final = FilledDatabase(_fill)
