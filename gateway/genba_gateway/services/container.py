"""All services, made once and wired by constructor."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from genba_gateway.config import Config
from genba_gateway.domain.ssh_host_names import SshHostNames
from genba_gateway.relay.rendezvous import Rendezvous
from genba_gateway.services.activity import Activity
from genba_gateway.services.agent_connections import AgentConnections
from genba_gateway.services.agent_controls import AgentControls
from genba_gateway.services.agent_dials import AgentDials
from genba_gateway.services.agent_links import AgentLinks
from genba_gateway.services.agent_logs import AgentLogs
from genba_gateway.services.agent_reports import AgentReports
from genba_gateway.services.agent_sessions import AgentSessions
from genba_gateway.services.agents import Agents
from genba_gateway.services.api_keys import ApiKeys
from genba_gateway.services.app_access import AppGate
from genba_gateway.services.app_openings import AppOpenings
from genba_gateway.services.app_places import AppPlaces
from genba_gateway.services.app_sessions import AppSessions
from genba_gateway.services.app_tokens import AppTokens
from genba_gateway.services.app_usage import AppUsage
from genba_gateway.services.appearance import Appearances
from genba_gateway.services.audit_logs import AuditLogs
from genba_gateway.services.authorization import Authorization
from genba_gateway.services.autostart import Autostarts
from genba_gateway.services.builds import Builds
from genba_gateway.services.client_carriers import ClientCarriers
from genba_gateway.services.daily_users import DailyUsers
from genba_gateway.services.deadlines import Deadlines
from genba_gateway.services.deployment import Deployment
from genba_gateway.services.deployment_config import DeploymentSettings
from genba_gateway.services.deployment_stats import DeploymentUsage
from genba_gateway.services.dry_runs import DryRuns
from genba_gateway.services.examples import Examples
from genba_gateway.services.executables import Executables
from genba_gateway.services.files import Files
from genba_gateway.services.git_ssh_keys import GitSSHKeys
from genba_gateway.services.health import Health, connect_as_client
from genba_gateway.services.health_settings import HealthSettings
from genba_gateway.services.init_reports import InitReports
from genba_gateway.services.job_runner import JobRunner, Provisioner
from genba_gateway.services.jobs import Jobs
from genba_gateway.services.listening_ports import ListeningPortsOf
from genba_gateway.services.organizations import Organizations
from genba_gateway.services.owner_secrets import OwnerSecretsMaker
from genba_gateway.services.passwords import Passwords
from genba_gateway.services.port_shares import PortShares
from genba_gateway.services.presets import Presets
from genba_gateway.services.restarts import Restarts
from genba_gateway.services.retention import Retention
from genba_gateway.services.sessions import Sessions
from genba_gateway.services.sign_in import SignIn
from genba_gateway.services.sign_in_links import SignInLinks
from genba_gateway.services.ssh_host_authority import SshHostAuthority
from genba_gateway.services.ssh_host_certificates import SshHostCertificates
from genba_gateway.services.template_files import TemplateFiles
from genba_gateway.services.template_versions import TemplateVersions
from genba_gateway.services.templates import Templates
from genba_gateway.services.terminals import Terminals
from genba_gateway.services.ticket_keys import TicketKeys
from genba_gateway.services.tickets import Tickets
from genba_gateway.services.timings import Timings
from genba_gateway.services.user_changes import UserChanges
from genba_gateway.services.users import Users
from genba_gateway.services.version_archive import VersionArchive
from genba_gateway.services.visibility import Clock
from genba_gateway.services.workspace_lists import WorkspaceLists
from genba_gateway.services.workspace_settings import WorkspaceSettings
from genba_gateway.services.workspace_sights import WorkspaceSights
from genba_gateway.services.workspaces import Workspaces
from genba_gateway.store.engine import Database
from genba_gateway.store.pubsub import PubSub
from genba_gateway.store.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Services:
    """Every use case of the gateway, by its noun."""

    activity: Activity
    agent_connections: AgentConnections
    agent_controls: AgentControls
    agent_dials: AgentDials
    agent_links: AgentLinks
    agent_logs: AgentLogs
    agent_reports: AgentReports
    agent_sessions: AgentSessions
    agents: Agents
    api_keys: ApiKeys
    app_gate: AppGate
    app_sessions: AppSessions
    app_usage: AppUsage
    appearances: Appearances
    audit_logs: AuditLogs
    authorization: Authorization
    autostarts: Autostarts
    builds: Builds
    client_carriers: ClientCarriers
    deadlines: Deadlines
    daily_users: DailyUsers
    deployment: Deployment
    deployment_settings: DeploymentSettings
    deployment_usage: DeploymentUsage
    dry_runs: DryRuns
    examples: Examples
    executables: Executables
    files: Files
    git_ssh_keys: GitSSHKeys
    health: Health
    health_settings: HealthSettings
    init_reports: InitReports
    job_runner: JobRunner
    jobs: Jobs
    listening_ports: ListeningPortsOf
    organizations: Organizations
    port_shares: PortShares
    restarts: Restarts
    presets: Presets
    retention: Retention
    sessions: Sessions
    sign_in: SignIn
    sign_in_links: SignInLinks
    ssh_host_certificates: SshHostCertificates
    template_files: TemplateFiles
    template_versions: TemplateVersions
    templates: Templates
    terminals: Terminals
    timings: Timings
    user_changes: UserChanges
    users: Users
    version_archive: VersionArchive
    workspace_settings: WorkspaceSettings
    workspace_lists: WorkspaceLists
    workspace_sights: WorkspaceSights
    workspaces: Workspaces


def make_services(
    config: Config,
    *,
    database: Database,
    sealer: Sealer,
    pubsub: PubSub,
    provisioner: Provisioner,
    clear_host_workspace: Callable[[str], Awaitable[None]],
    replica_id: str,
    now: Clock,
) -> Services:
    """Make all services on one database."""
    passwords = Passwords()
    git_ssh_keys = GitSSHKeys(database, sealer, now)
    deployment = Deployment(database, wildcard_hostname=config.app_hosts.wildcard_host)
    jobs = Jobs(database, pubsub, now)
    agent_logs = AgentLogs(database, pubsub, now=now)
    builds = Builds(database, sealer, pubsub, jobs, now)
    ticket_keys = TicketKeys(database, sealer, now)
    tickets = Tickets(ticket_keys, now)
    app_sessions = AppSessions(database, config.app_hosts, now)
    workspaces = Workspaces(database, sealer, pubsub, builds, now)
    app_usage = AppUsage(database, pubsub, now)
    files = Files(database, now)
    templates = Templates(database, pubsub, now)
    examples = Examples(files)
    template_versions = TemplateVersions(database, sealer, pubsub, jobs, examples, now)
    tickets = Tickets(TicketKeys(database, sealer, now), now)
    agent_sessions = AgentSessions(database, sealer, pubsub, tickets, now=now)
    agent_connections = AgentConnections(database, pubsub, replica_id=replica_id, now=now)
    agent_dials = AgentDials(tickets, Rendezvous())
    agent_links = AgentLinks(agent_dials)
    agents = Agents(
        database,
        sealer,
        pubsub,
        access_url=config.url,
        hostname_suffix=config.ssh_hostname_suffix,
        now=now,
    )
    return Services(
        activity=Activity(database, sealer, pubsub, now),
        agent_connections=agent_connections,
        agent_controls=AgentControls(agent_connections, agent_dials),
        agent_dials=agent_dials,
        agent_links=agent_links,
        agent_logs=agent_logs,
        agent_reports=AgentReports(database, sealer, pubsub, git_ssh_keys, access_url=config.url, now=now),
        agent_sessions=agent_sessions,
        agents=agents,
        api_keys=ApiKeys(database, pubsub, now),
        app_gate=AppGate(
            database,
            pubsub,
            config.app_hosts,
            places=AppPlaces(database, sealer),
            sessions=app_sessions,
            tokens=AppTokens(ticket_keys, now),
            openings=AppOpenings(database, now),
            usage=app_usage,
            now=now,
        ),
        app_sessions=app_sessions,
        app_usage=app_usage,
        appearances=Appearances(database, now),
        audit_logs=AuditLogs(database),
        authorization=Authorization(database),
        autostarts=Autostarts(database, sealer, pubsub, builds, now),
        builds=builds,
        client_carriers=ClientCarriers(agent_sessions, agent_dials),
        deadlines=Deadlines(database, pubsub, builds, now),
        daily_users=DailyUsers(database, templates, now),
        deployment=deployment,
        deployment_settings=DeploymentSettings(config),
        deployment_usage=DeploymentUsage(database, now),
        dry_runs=DryRuns(database, sealer, pubsub, template_versions, jobs, now),
        examples=examples,
        executables=Executables(config.executables),
        files=files,
        git_ssh_keys=git_ssh_keys,
        health=Health(database, deployment, access_url=config.url, now=now, connect=connect_as_client(config)),
        health_settings=HealthSettings(database, now),
        init_reports=InitReports(database, agent_logs),
        job_runner=JobRunner(
            database=database,
            sealer=sealer,
            pubsub=pubsub,
            provisioner=provisioner,
            secrets=OwnerSecretsMaker(database, git_ssh_keys, now),
            clear_host_workspace=clear_host_workspace,
            worker_id=replica_id,
            now=now,
        ),
        jobs=jobs,
        listening_ports=ListeningPortsOf(agents, agent_sessions, agent_links),
        organizations=Organizations(database),
        port_shares=PortShares(database, sealer, pubsub, now),
        restarts=Restarts(database, builds, now),
        presets=Presets(database, template_versions),
        retention=Retention(database, now),
        sessions=Sessions(database, pubsub=pubsub),
        sign_in=SignIn(database, passwords, pubsub, now),
        sign_in_links=SignInLinks(database, config.url, now),
        ssh_host_certificates=SshHostCertificates(
            database,
            SshHostAuthority(database, sealer, now),
            SshHostNames(config.ssh_hostname_prefix, config.ssh_hostname_suffix, urlsplit(config.url).hostname or ""),
            now,
        ),
        template_files=TemplateFiles(files, template_versions),
        template_versions=template_versions,
        templates=templates,
        terminals=Terminals(agent_sessions, agent_links),
        timings=Timings(database, pubsub),
        user_changes=UserChanges(database, passwords, pubsub, now),
        users=Users(database, passwords, now),
        version_archive=VersionArchive(database, now),
        workspace_settings=WorkspaceSettings(database, pubsub, now),
        workspace_lists=WorkspaceLists(workspaces, pubsub),
        workspace_sights=WorkspaceSights(database, pubsub, workspaces, jobs),
        workspaces=workspaces,
    )
