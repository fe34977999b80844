"""All routes of the gateway on one Quart app, each behind the gate."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from quart import Quart

from genba_gateway.api import (
    activity,
    administration,
    agent_me,
    agents,
    api_keys,
    appearance,
    applications,
    audit_logs,
    authorization,
    autostart,
    builds,
    carriers,
    deadlines,
    deployment,
    dry_runs,
    executables,
    files,
    git_ssh_keys,
    http_carriers,
    init_reports,
    insights,
    listening_ports,
    notifications,
    organizations,
    port_shares,
    presets,
    sign_in_links,
    ssh_host_certificates,
    stream_check,
    template_versions,
    templates,
    terminals,
    timings,
    user_changes,
    users,
    workspace_settings,
    workspaces,
)
from genba_gateway.api.agent_listener import install_agent_listener
from genba_gateway.api.answers import install_error_handlers
from genba_gateway.api.bodies import LimitedRequest
from genba_gateway.api.gate import check_routes, install_gate
from genba_gateway.api.rate_limits import install_rate_limits
from genba_gateway.api.route_rules import RouteRule
from genba_gateway.api.stream_ends import StreamEnds, install_stream_ends
from genba_gateway.config import Config
from genba_gateway.relay.quart_end import make_websockets_pausable
from genba_gateway.services.container import Services
from genba_gateway.services.visibility import utc_now
from genba_gateway.web import app_links, dashboard, pages

BODY_TIMEOUT_S: Final = 600
"""How long a client may take to send a body; 100 MiB over a slow line pass."""


def make_quart_app(config: Config, services: Services, shutdown: asyncio.Event) -> Quart:
    """Make the app.

    Args:
        shutdown: set when the gateway begins to shut down; open streams end then.

    Raises:
        ConfigError: a route declares no permission.
    """
    app = Quart("genba_gateway", static_folder=None)
    app.request_class = LimitedRequest
    app.url_rule_class = RouteRule
    make_websockets_pausable(app)
    app.config["BODY_TIMEOUT"] = BODY_TIMEOUT_S
    app.config["RESPONSE_TIMEOUT"] = None
    secure = config.url.startswith("https:")
    s, now = services, utc_now
    for blueprint in (
        deployment.make_blueprint(s.deployment, access_url=config.url),
        administration.make_blueprint(config, s.deployment_usage, s.health, s.health_settings),
        stream_check.make_blueprint(access_url=config.url),
        appearance.make_blueprint(s.appearances),
        applications.make_blueprint(config.app_hosts),
        app_links.make_blueprint(s.app_sessions, s.app_gate, config.app_hosts),
        users.make_blueprint(s.users, s.sign_in, secure_cookies=secure),
        user_changes.make_blueprint(s.user_changes, s.users),
        audit_logs.make_blueprint(s.audit_logs),
        authorization.make_blueprint(s.authorization),
        api_keys.make_blueprint(s.api_keys, s.users),
        organizations.make_blueprint(s.organizations, s.users),
        git_ssh_keys.make_blueprint(s.git_ssh_keys, s.users),
        sign_in_links.make_blueprint(s.sign_in_links),
        ssh_host_certificates.make_blueprint(s.ssh_host_certificates, config.ssh_config_options),
        executables.make_blueprint(s.executables),
        init_reports.make_blueprint(s.init_reports),
        files.make_blueprint(s.files),
        templates.make_blueprint(s.templates, s.organizations, s.version_archive, s.examples),
        template_versions.make_blueprint(s.template_versions, s.templates, s.organizations, s.jobs, now),
        presets.make_blueprint(s.presets),
        insights.make_blueprint(s.daily_users),
        notifications.make_blueprint(s.users),
        dry_runs.make_blueprint(s.dry_runs, s.jobs, now),
        workspaces.make_blueprint(s.workspaces, s.users, s.organizations, now),
        port_shares.make_blueprint(s.port_shares),
        deadlines.make_blueprint(s.deadlines),
        autostart.make_blueprint(s.autostarts),
        timings.make_blueprint(s.timings),
        workspace_settings.make_blueprint(s.workspace_settings, s.workspaces, now),
        activity.make_blueprint(s.activity),
        builds.make_blueprint(s.builds, s.workspaces, s.users, s.jobs, now),
        agents.make_blueprint(s.agents),
        agent_me.make_blueprint(s.agent_reports, s.agent_logs, s.agent_controls, config.app_hosts),
        carriers.make_blueprint(s.agent_sessions, s.client_carriers, s.agent_dials),
        http_carriers.make_blueprint(s.agent_sessions, s.client_carriers, s.agent_dials, s.agent_controls),
        terminals.make_blueprint(s.agent_sessions, s.terminals, pages.error_page),
        listening_ports.make_blueprint(s.listening_ports),
        *dashboard.make_blueprints(
            s, now, access_url=config.url, make_subdomain_url=config.app_hosts.make_subdomain_url
        ),
    ):
        app.register_blueprint(blueprint)
    install_error_handlers(app)
    pages.install_not_found_page(app)
    if config.agent_address is not None:
        install_agent_listener(app, config.agent_address)
    counter = install_rate_limits(app, time.time)
    install_gate(app, s.sessions, config.trusted_proxies, config.access_url, count_request=counter)
    install_stream_ends(app, StreamEnds(s.sessions, shutdown))
    check_routes(app)
    return app
