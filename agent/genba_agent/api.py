"""The gateway's agent routes as typed calls (contract 1.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from genba_wire.aio.transport import Transport
from genba_wire.api.agent_protocol import (
    CONTROL_PATH,
    LOG_BATCH_HEADER,
    AgentGitSSHKey,
    AppHealthRequest,
    LifecycleRequest,
    Manifest,
    MetadataReport,
    MetadataRequest,
    PatchLogsRequest,
    SSHHostCertificateRequest,
    SSHHostCertificateResponse,
    StartupRequest,
    StatsRequest,
    StatsResponse,
)
from genba_wire.api.message import Message
from genba_wire.api.timings import ScriptTimingReport

if TYPE_CHECKING:
    from genba_wire.aio.carrier import DialledCarrier

ME: Final = "/api/v2/workspaceagents/me"


class AgentApi:
    """One method a route. All raise `TransportError`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def open_control(self) -> DialledCarrier:
        """Open the control carrier; the caller closes it."""
        return await self._transport.carrier(CONTROL_PATH)

    async def fetch_manifest(self) -> Manifest:
        return await self._transport.fetch("GET", f"{ME}/manifest", Manifest)

    async def fetch_git_ssh_key(self) -> AgentGitSSHKey:
        return await self._transport.fetch("GET", f"{ME}/gitsshkey", AgentGitSSHKey)

    async def post_startup(self, request: StartupRequest) -> None:
        await self._transport.request("POST", f"{ME}/startup", body=request)

    async def post_lifecycle(self, request: LifecycleRequest) -> None:
        await self._transport.request("POST", f"{ME}/report-lifecycle", body=request)

    async def post_script_timing(self, report: ScriptTimingReport) -> None:
        await self._transport.request("POST", f"{ME}/script-timings", body=report)

    async def patch_logs(self, request: PatchLogsRequest, boot_id: str, first_number: int) -> None:
        """Store lines; the header lets the gateway recognise a batch that it has stored already."""
        headers = {LOG_BATCH_HEADER: f"{boot_id}/{first_number}"}
        await self._transport.request("PATCH", f"{ME}/logs", body=request, headers=headers)

    async def post_metadata(self, reports: list[MetadataReport]) -> None:
        await self._transport.request("POST", f"{ME}/metadata", body=MetadataRequest(metadata=reports))

    async def post_stats(self, request: StatsRequest) -> StatsResponse:
        return await self._transport.fetch("POST", f"{ME}/report-stats", StatsResponse, body=request)

    async def post_app_health(self, healths: dict[str, str]) -> None:
        await self._transport.request("POST", f"{ME}/app-health", body=AppHealthRequest(Healths=healths))

    async def post_ssh_host_key(self, public_key: str) -> SSHHostCertificateResponse:
        """Have the SSH host key certified."""
        return await self._transport.fetch(
            "POST",
            f"{ME}/ssh-host-certificate",
            SSHHostCertificateResponse,
            body=SSHHostCertificateRequest(public_key=public_key),
        )

    async def fetch_announcements(self) -> list[str]:
        """Return the messages that the deployment announces at the moment."""
        appearance = await self._transport.fetch("GET", "/api/v2/appearance", _Appearance)
        return [banner.message for banner in appearance.announcement_banners if banner.enabled and banner.message]


class _Banner(Message, frozen=True, kw_only=True):
    enabled: bool
    message: str = ""


class _Appearance(Message, frozen=True, kw_only=True):
    """What the agent reads of GET /appearance."""

    announcement_banners: tuple[_Banner, ...] = ()
