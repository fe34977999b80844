"""All pages."""

from __future__ import annotations

from collections.abc import Sequence

from quart import Blueprint

from genba_gateway.services.container import Services
from genba_gateway.services.visibility import Clock
from genba_gateway.web import (
    account,
    audit_logs,
    deployment,
    git_ssh_keys,
    health,
    help_page,
    preferences,
    sign_in,
    template_editor,
    template_pages,
    template_settings,
    tokens,
    user_changes,
    users,
    workspace_forms,
    workspaces,
)
from genba_gateway.web.pages import Pages
from genba_gateway.web.template_pages import TemplateFinder
from genba_gateway.web.workspace import dashboard as workspace
from genba_gateway.web.workspace.app_links import MakeSubdomainUrl
from genba_gateway.web.workspace_forms import WorkspaceForms


def make_blueprints(
    s: Services, now: Clock, *, access_url: str, make_subdomain_url: MakeSubdomainUrl = workspace.no_subdomains
) -> Sequence[Blueprint]:
    """One blueprint per noun.

    Args:
        s: all use cases.
        now: the clock.
        access_url: where browsers find the gateway.
        make_subdomain_url: gives apps and ports host names of their own.
    """
    pages = Pages(access_url=access_url)
    finder = TemplateFinder(s.organizations, s.templates, s.template_versions)
    forms = WorkspaceForms(finder, s.template_versions, s.presets, s.workspaces, s.builds, s.users)
    return (
        preferences.make_blueprint(pages),
        sign_in.make_blueprint(pages, s.users, s.sign_in, s.sign_in_links),
        tokens.make_blueprint(pages, s.users, s.api_keys, now),
        account.make_blueprint(pages, s.users, s.user_changes),
        git_ssh_keys.make_blueprint(pages, s.users, s.git_ssh_keys),
        users.make_blueprint(pages, s.users),
        user_changes.make_blueprint(pages, s.users, s.user_changes),
        health.make_blueprint(pages, s.health),
        deployment.make_blueprint(pages, s.deployment_settings, s.deployment_usage),
        audit_logs.make_blueprint(pages, s.audit_logs),
        help_page.make_blueprint(pages, s.executables),
        workspaces.make_blueprint(pages, s.workspaces, s.workspace_lists, s.builds, now, make_subdomain_url),
        template_pages.make_blueprint(pages, finder, s.templates, s.template_versions, s.template_files),
        template_settings.make_blueprint(pages, finder, s.templates),
        template_editor.make_blueprint(pages, finder, s.templates, s.template_files, s.dry_runs, s.jobs),
        workspace_forms.make_blueprint(pages, forms),
        *workspace.make_blueprints(pages, s, now, make_subdomain_url=make_subdomain_url),
    )
