"""Which of these are not for the inner loop, and how long a search for counterexamples may take in it."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

HERE: Final = Path(__file__).parent

SLOW: Final = (
    "agent/test_app_health.py",
    "agent/test_gitssh.py",
    "gateway/api",
    "gateway/bootstrap",
    "gateway/loops",
    "gateway/provisioner/test_execution.py",
    "gateway/services/test_activity.py",
    "gateway/services/test_agent_connections.py",
    "gateway/services/test_agent_logs.py",
    "gateway/services/test_app_access.py",
    "gateway/services/test_audit.py",
    "gateway/services/test_autostart.py",
    "gateway/services/test_build_environment.py",
    "gateway/services/test_build_plans.py",
    "gateway/services/test_build_runs.py",
    "gateway/services/test_builds.py",
    "gateway/services/test_client_carriers.py",
    "gateway/services/test_deadlines.py",
    "gateway/services/test_deployment_stats.py",
    "gateway/services/test_import_runs.py",
    "gateway/services/test_job_recovery.py",
    "gateway/services/test_job_runner.py",
    "gateway/services/test_job_runner_faults.py",
    "gateway/services/test_jobs.py",
    "gateway/services/test_owner_secrets.py",
    "gateway/services/test_port_shares.py",
    "gateway/services/test_restarts.py",
    "gateway/services/test_template_versions.py",
    "gateway/services/test_templates.py",
    "gateway/services/test_terminals.py",
    "gateway/services/test_timings.py",
    "gateway/services/test_version_archive.py",
    "gateway/services/test_workspace_lists.py",
    "gateway/services/test_workspace_sights.py",
    "gateway/services/test_workspaces.py",
    "gateway/store",
    "gateway/web/test_account.py",
    "gateway/web/test_git_ssh_keys.py",
    "gateway/web/test_health.py",
    "gateway/web/test_languages.py",
    "gateway/web/test_template_editor.py",
    "gateway/web/test_template_pages.py",
    "gateway/web/test_template_settings.py",
    "gateway/web/test_tokens.py",
    "gateway/web/test_user_changes.py",
    "gateway/web/test_users.py",
    "gateway/web/test_workspace_forms.py",
    "gateway/web/test_workspaces.py",
    "gateway/web/workspace/test_agent_steps.py",
    "gateway/web/workspace/test_kept_steps.py",
    "gateway/web/workspace/test_ports.py",
    "ide_bridge/cli/commands/test_builds.py",
    "ide_bridge/cli/commands/test_config_ssh.py",
    "ide_bridge/cli/commands/test_stat.py",
    "ide_bridge/cli/commands/test_templates.py",
    "ide_bridge/cli/test_autostart.py",
    "ide_bridge/cli/test_start_scripts.py",
    "ide_bridge/cli/test_workspace_log.py",
    "ide_bridge/lsp/test_logs.py",
    "ide_bridge/lsp/test_portability.py",
    "ide_bridge/lsp/test_workspaces.py",
    "ide_bridge/test_portability.py",
    "support/test_cli_forks.py",
)
"""They drive a whole app on a database, start programs or wait: a tenth of a second or more a test, half of it all."""

SLOW_TESTS: Final = (
    "agent/ssh/test_pty_program.py::test_its_end_takes_what_it_started_with_it",
    "agent/test_script_timings.py::test_the_oldest_reports_are_given_up_and_a_clock_set_back_makes_no_negative_run",
    "ide_bridge/cli/test_agent_readiness.py::test_an_agent_that_does_not_connect_in_its_time_is_given_up",
    "ide_bridge/cli/test_editor_calls.py::test_closed_streams_are_no_bug_of_ours",
    "ide_bridge/cli/test_main.py::test_a_reader_that_leaves_ends_the_program_quietly",
    "ide_bridge/cli/test_running.py::test_a_reader_that_leaves_a_followed_log_ends_the_program_quietly",
    "ide_bridge/support/test_redaction.py::test_long_texts_take_no_longer_than_their_length",
    "support/test_living_processes.py::test_what_has_a_path_of_the_folder_is_ended_with_its_children",
    "support/test_machine_state.py::test_a_failure_is_shown_with_it",
)
"""Beside fast ones, those that start programs with all their imports, take megabytes, or wait for a second."""

_SLOW_PATHS: Final = frozenset(HERE / each for each in SLOW)

# How long something takes says nothing on a machine that does other things too.
settings.register_profile("all", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", parent=settings.get_profile("all"), max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "all"))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare `make unit` the imports of what it leaves to `make test`."""
    chosen = str(config.getoption("markexpr"))
    return True if chosen.startswith("not slow") and _is_slow(collection_path) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `make unit` leaves to `make test`."""
    for item in items:
        if _is_slow(item.path) or item.nodeid.partition("[")[0].removeprefix("tests/unit/") in SLOW_TESTS:
            item.add_marker("slow")


@functools.cache
def _is_slow(path: Path) -> bool:
    return not _SLOW_PATHS.isdisjoint((path, *path.parents))
