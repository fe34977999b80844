"""Messages about the deployment (contract appendix B)."""

from __future__ import annotations

from datetime import datetime

from genba_wire.api.message import Message


class SSHConfigResponse(Message, frozen=True, kw_only=True):
    """GET /deployment/ssh: what goes into users' ssh config.

    `hostname_suffix` has no dot before it. `host_certificate_authority` is Genba's own: the public key that certifies
    the host keys of agents, in OpenSSH's format, for one `@cert-authority` line.
    """

    hostname_prefix: str
    hostname_suffix: str
    ssh_config_options: dict[str, str]
    host_certificate_authority: str = ""


class BannerConfig(Message, frozen=True, kw_only=True):
    """One announcement; the colour is `#rrggbb`."""

    enabled: bool = False
    message: str = ""
    background_color: str = ""


class Banner(Message, frozen=True, kw_only=True):
    """`BannerConfig` as it is answered: with `enabled` whatever it is."""

    enabled: bool
    message: str = ""
    background_color: str = ""


class AnnouncementBanners(Message, frozen=True, kw_only=True):
    """GET /workspaceagents/me/announcement-banners: those that a login shell shows."""

    announcement_banners: list[Banner]


class LinkConfig(Message, frozen=True, kw_only=True):
    """A link of the support menu."""

    name: str
    target: str
    icon: str


class AppearanceConfig(Message, frozen=True, kw_only=True):
    """GET /appearance. `service_banner` is the first announcement that is enabled, for clients that know only one."""

    application_name: str
    logo_url: str
    docs_url: str
    service_banner: Banner
    announcement_banners: list[Banner]
    support_links: list[LinkConfig] = []


class UpdateAppearanceRequest(Message, frozen=True, kw_only=True):
    """PUT /appearance; what is left out becomes empty.

    `service_banner` counts as the one announcement where there are no others.
    """

    application_name: str = ""
    logo_url: str = ""
    service_banner: BannerConfig = BannerConfig()
    announcement_banners: list[BannerConfig] | None = None


class UpdateAppearanceConfig(Message, frozen=True, kw_only=True):
    """The answer of PUT /appearance."""

    application_name: str
    logo_url: str
    service_banner: Banner
    announcement_banners: list[Banner]


class Region(Message, frozen=True, kw_only=True):
    """A place that serves apps; there is one, the gateway itself."""

    id: str
    name: str
    display_name: str
    icon_url: str
    healthy: bool
    path_app_url: str
    wildcard_hostname: str


class RegionsResponse(Message, frozen=True, kw_only=True):
    """GET /regions."""

    regions: list[Region]


class ProxyStatus(Message, frozen=True, kw_only=True):
    """How a proxy is."""

    status: str
    checked_at: datetime


class WorkspaceProxy(Region, frozen=True, kw_only=True):
    """A region as its administrators see it."""

    derp_enabled: bool
    derp_only: bool
    status: ProxyStatus
    created_at: datetime
    updated_at: datetime
    deleted: bool
    version: str


class WorkspaceProxiesResponse(Message, frozen=True, kw_only=True):
    """GET /workspaceproxies."""

    regions: list[WorkspaceProxy]


class DeploymentOption(Message, frozen=True, kw_only=True):
    """A setting of the gateway; a secret one has no value."""

    name: str
    flag: str
    env: str
    yaml: str
    value: str
    default: str
    annotations: dict[str, str]
    hidden: bool = False


class DeploymentConfig(Message, frozen=True, kw_only=True):
    """GET /deployment/config. `config` has the contract's keys, as far as there is something behind them."""

    config: dict[str, object]
    options: list[DeploymentOption]


class ConnectionLatency(Message, frozen=True, kw_only=True):
    """Milliseconds; -1 where nothing was measured."""

    P50: float
    P95: float


class WorkspaceStats(Message, frozen=True, kw_only=True):
    """Workspaces by what they do; bytes are those that agents counted since `aggregated_from`."""

    pending: int
    building: int
    running: int
    failed: int
    stopped: int
    connection_latency_ms: ConnectionLatency
    rx_bytes: int
    tx_bytes: int


class SessionStats(Message, frozen=True, kw_only=True):
    """Sessions that agents reported last, by their kind."""

    vscode: int
    ssh: int
    jetbrains: int
    reconnecting_pty: int


class DeploymentStats(Message, frozen=True, kw_only=True):
    """GET /deployment/stats."""

    aggregated_from: datetime
    collected_at: datetime
    next_update_at: datetime
    workspaces: WorkspaceStats
    session_count: SessionStats
