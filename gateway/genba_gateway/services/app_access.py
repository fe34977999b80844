"""Who may use which app of a workspace: asked before each request, cheaply for a minute once it was found out."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Final

from genba_gateway.domain.actors import Action, Permission, Resource, UserActor
from genba_gateway.domain.app_access import (
    AppAddress,
    AppDecision,
    AppGranted,
    AppOrigin,
    AppRedirect,
    AppRefusal,
    AppRequest,
    AppTarget,
)
from genba_gateway.domain.app_entry import (
    AppEntry,
    find_default_query,
    get_header,
    is_foreign,
    is_navigation,
    list_cookies,
    nowhere,
    read_entry,
)
from genba_gateway.domain.app_hosts import AppHosts
from genba_gateway.domain.app_rules import (
    AppPlace,
    SharingLevel,
    explain_app_end,
    explain_not_running,
    explain_silence,
    may_use,
)
from genba_gateway.domain.channels import of_key, of_workspace
from genba_gateway.domain.session_grants import SessionGrant
from genba_gateway.domain.users import Visitor
from genba_gateway.errors import Unauthenticated
from genba_gateway.services.app_cookies import AppCookies
from genba_gateway.services.app_openings import AppOpenings
from genba_gateway.services.app_places import AppPlaces
from genba_gateway.services.app_sessions import AppSessions, is_state, make_state
from genba_gateway.services.app_tokens import AppTokens
from genba_gateway.services.app_usage import AppUsage
from genba_gateway.services.visibility import Clock
from genba_gateway.store import session_grants as grant_store
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_wire.aio.transport import SESSION_TOKEN_HEADER

LOOK_AGAIN_S: Final = 3.0
"""What is open ends within 5 s of what ends it, of which only some is announced."""

_READ: Final = Permission(Resource.WORKSPACE, Action.READ)
_TOKEN_HEADER: Final = SESSION_TOKEN_HEADER.lower().encode()
_FOREIGN: Final = AppRefusal(
    403,
    "Another page asked for this",
    "A page of another origin may not use this app in your name. If it has to, share the app publicly.",
)
_SIGN_IN_FIRST: Final = AppRefusal(401, "You are not signed in", "Open the app in a tab of its own to sign in.")
_OTHER_BROWSER: Final = AppRefusal(
    400,
    "This link is of no use here",
    "It was made for another browser, or this one kept no cookie of the app. Allow cookies, and open the app from its "
    "workspace's page.",
)

log = logging.getLogger(__name__)


class AppGate:
    """Decides on requests for apps (`domain.app_access.AppAccess`).

    Args:
        look_again_s: how often what is open is checked without notice.
    """

    def __init__(
        self,
        database: Database,
        pubsub: PubSub,
        hosts: AppHosts,
        *,
        places: AppPlaces,
        sessions: AppSessions,
        tokens: AppTokens,
        openings: AppOpenings,
        usage: AppUsage,
        now: Clock,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self._database = database
        self._pubsub = pubsub
        self._hosts = hosts
        self._places = places
        self._sessions = sessions
        self._tokens = tokens
        self._openings = openings
        self._usage = usage
        self._now = now
        self._look_again_s = look_again_s
        self._cookies = AppCookies(hosts.is_secure)

    def decide_now(self, request: AppRequest) -> AppDecision | None:
        """Say what becomes of a request when that is known: its signed app token was seen before; or None."""
        entry = read_entry(self._hosts, request)
        if not isinstance(entry, AppEntry):
            return entry
        if entry.connect_token:
            return None
        for token in list_cookies(request, self._cookies.name_signed(entry)):
            if not self._tokens.has_read(token):
                return None  # it may be good, and comes first
            target = self._tokens.recall(token, entry)
            if target is not None:
                return _admit_bearer(entry, request, target)
        return None

    async def decide(self, request: AppRequest) -> AppDecision:
        """Say what becomes of a request; one whose signed app token is good needs no database."""
        entry = read_entry(self._hosts, request)
        if not isinstance(entry, AppEntry):
            return entry
        if entry.connect_token:
            return await self._connect(entry, request)
        for token in list_cookies(request, self._cookies.name_signed(entry)):
            target = await self._tokens.read(token, entry)
            if target is not None:
                return _admit_bearer(entry, request, target)
        return await self._look_up(entry, request)

    async def wait_for_end(self, target: AppTarget) -> str:
        """Return why a websocket or a long answer must end, within 5 s of when it must."""
        with self._pubsub.subscribe(of_workspace(target.workspace_id), of_key(target.key_id)) as subscription:
            while True:
                self._usage.note_open(target)
                try:
                    why = await self._find_end(target)
                except Exception:  # a database that is held by another process says nothing about the session
                    log.exception("What user %s has open of an app could not be looked at.", target.user_id)
                    why = ""
                if why:
                    return why
                await subscription.changed(timeout_s=self._look_again_s)

    async def find_own_host(self, actor: UserActor, address: AppAddress) -> str:
        """Where an app is served under a name of its own, if it is to be and the actor may use it; or empty."""
        place = await self._places.find(replace(address, origin=AppOrigin.SUBDOMAIN))
        if place is None or place.agent is None or not place.has_own_host:
            return ""
        owner = place.workspace
        if not may_use(actor, AppOrigin.SUBDOMAIN, place.sharing_level, owner.owner_id):
            return ""
        return self._hosts.make_subdomain_url(owner.owner_name, owner.name, place.agent.name, address.app)

    async def explain_silence(self, target: AppTarget) -> AppRefusal:
        """The page for an app that nothing in its workspace answers for."""
        place = await self._places.find(target.address)
        if place is None:
            return nowhere()
        is_owners = target.user_id == place.workspace.owner_id
        return explain_silence(place, target.address, self._page_of(place) if is_owners else "")

    def count_request(self, target: AppTarget) -> None:
        """Take note of a proxied request."""
        self._usage.count_request(target)

    async def _look_up(self, entry: AppEntry, request: AppRequest) -> AppDecision:
        actor, is_ambient = await self._find_user(entry, request)
        if actor is None and entry.address.origin is AppOrigin.PATH:
            return self._ask_to_sign_in(entry, request)
        place = await self._places.find(entry.address)
        if place is None or not may_use(actor, entry.address.origin, place.sharing_level, place.workspace.owner_id):
            return nowhere() if actor is not None else self._ask_to_sign_in(entry, request)
        if is_ambient and place.sharing_level is not SharingLevel.PUBLIC and is_foreign(request, entry.origin):
            return _FOREIGN
        may_see = actor is not None and actor.may(_READ, place.workspace.owner_id)
        refusal = explain_not_running(place, self._now(), self._page_of(place) if may_see else "")
        if refusal is not None:
            return refusal
        if place.agent is None or not place.app_url:
            return nowhere()
        target = AppTarget(
            address=entry.address,
            workspace_id=place.workspace.id,
            agent_id=place.agent.id,
            build_id=place.agent.build_id,
            app_url=place.app_url,
            sharing_level=place.sharing_level.value,
            user_id=actor.user_id if actor else "",
            key_id=actor.key_id if actor else "",
            is_owner=actor is not None and actor.user_id == place.workspace.owner_id,
        )
        await self._openings.record(target, _visitor_of(request))
        cookie = self._cookies.set_signed(entry, await self._tokens.issue(entry, target))
        return _admit(entry, request, target, cookie)

    async def _find_user(self, entry: AppEntry, request: AppRequest) -> tuple[UserActor | None, bool]:
        """Who asks, and whether the browser says so whatever page makes it ask."""
        shown = get_header(request, _TOKEN_HEADER)
        actor = await self._sessions.find_user_of_key(shown) if shown else None
        if actor is not None:
            return actor, False
        for token in list_cookies(request, self._cookies.name_session(entry)):
            actor = await self._sessions.find_user(token, entry)
            if actor is not None:
                return actor, True
        return None, True

    async def _connect(self, entry: AppEntry, request: AppRequest) -> AppDecision:
        """Use up what a browser brings from the dashboard, and send it on to the address without it."""
        states = self._list_states(request)
        if is_navigation(request):
            for state in states:
                try:
                    token = await self._sessions.redeem(entry.connect_token, entry, state, _visitor_of(request))
                except Unauthenticated:
                    continue
                # The value stays for the browser's other tabs, which may be on their way with it.
                return AppRedirect(303, entry.url, (self._cookies.set_session(entry, token),))
        actor, _ = await self._find_user(entry, request)
        if actor is not None:  # the page was loaded again, or the browser went back to it
            return AppRedirect(303, entry.url)
        return self._ask_to_sign_in(entry, request) if states else _OTHER_BROWSER

    def _ask_to_sign_in(self, entry: AppEntry, request: AppRequest) -> AppDecision:
        if not is_navigation(request):
            return _SIGN_IN_FIRST
        # One value for all tabs of a browser that are on their way, so that none makes another's come back in vain.
        state = next(iter(self._list_states(request)), "") or make_state()
        return AppRedirect(303, self._sessions.make_sign_in_url(entry, state), (self._cookies.set_state(state),))

    def _list_states(self, request: AppRequest) -> list[str]:
        return [state for state in list_cookies(request, self._cookies.name_state()) if is_state(state)]

    def _page_of(self, place: AppPlace) -> str:
        return f"{self._hosts.access_url}/@{place.workspace.owner_name}/{place.workspace.name}"

    async def _find_end(self, target: AppTarget) -> str:
        grant = SessionGrant(
            user_id=target.user_id,
            key_id=target.key_id,
            workspace_id=target.workspace_id,
            agent_id=target.agent_id,
            build_id=target.build_id,
        )
        async with self._database.glance() as connection:
            standing = await grant_store.find_standing(connection, grant)
        return explain_app_end(target, standing, await self._places.find_level(target))


def _visitor_of(request: AppRequest) -> Visitor:
    return Visitor(request.client_address, get_header(request, b"user-agent")[:256])


def _admit_bearer(entry: AppEntry, request: AppRequest, target: AppTarget) -> AppDecision:
    """What becomes of a request that shows a signed app token for `target`."""
    if target.sharing_level != SharingLevel.PUBLIC and is_foreign(request, entry.origin):
        return _FOREIGN
    return _admit(entry, request, target)


def _admit(entry: AppEntry, request: AppRequest, target: AppTarget, *set_cookies: str) -> AppDecision:
    with_query = find_default_query(entry, target.app_url) if is_navigation(request) else ""
    return AppRedirect(307, with_query, set_cookies) if with_query else AppGranted(target, set_cookies)
