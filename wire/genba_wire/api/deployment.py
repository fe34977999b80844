"""Messages about the deployment (contract appendix B)."""

from __future__ import annotations

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
