from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from genba_agent.data_dir import DataDir
from genba_agent.environment import (
    build_environment,
    expand_path,
    expand_variables,
    own_command,
    user_environment,
)
from genba_agent.user import User
from genba_wire.api.agent_protocol import Manifest
from tests.support.agent_builders import make_manifest


def build(
    process: Mapping[str, str], manifest: Manifest | None = None, command: list[str] | None = None
) -> dict[str, str]:
    return build_environment(
        process,
        manifest or make_manifest(),
        User("kim", "/home/kim", "/bin/zsh"),
        command=command or ["/opt/genba"],
        url="https://genba.example.com",
        token="the token",
        data_dir=DataDir(Path("/data"), "id"),
    )


@pytest.mark.parametrize(
    ("text", "expanded"),
    [("$A/b", "1/b"), ("${A}b", "1b"), ("$Ab", ""), ("${NO}x", "x"), ("a$", "a$"), ("$1 $-", "$1 $-"), ("no", "no")],
)
def test_variables_expand_and_unknown_ones_become_empty(text: str, expanded: str) -> None:
    assert expand_variables(text, {"A": "1"}) == expanded


@pytest.mark.parametrize(
    ("path", "expanded"),
    [("~", "/home/kim"), ("~/a", "/home/kim/a"), ("$D/a", "/d/a"), ("a.log", "/logs/a.log"), ("~kim", "/logs/~kim")],
)
def test_paths_expand(path: str, expanded: str) -> None:
    assert expand_path(path, {"D": "/d"}, "/home/kim", "/logs") == expanded


def test_defaults_give_way_to_the_process_and_that_to_the_manifest() -> None:
    manifest = make_manifest(environment_variables={"HOME": "/from/manifest"})
    assert build({})["HOME"] == "/home/kim"
    assert build({"HOME": "/from/process"})["HOME"] == "/from/process"
    assert build({"HOME": "/from/process"}, manifest)["HOME"] == "/from/manifest"
    assert build({"GIT_SSH_COMMAND": "my-ssh"})["GIT_SSH_COMMAND"] == "my-ssh"


def test_forced_values_win_over_everything() -> None:
    names: dict[str, str] = dict.fromkeys(("CODER", "CODER_WORKSPACE_NAME", "CODER_AGENT_TOKEN"), "other")
    environ = build(names, make_manifest(environment_variables=names))
    assert [environ[name] for name in names] == ["true", "blue", "the token"]


def test_manifest_can_extend_path_and_the_bin_dir_is_in_front() -> None:
    environ = build({"PATH": "/usr/bin"}, make_manifest(environment_variables={"PATH": "$HOME/bin:$PATH"}))
    assert environ["PATH"] == "/data/bin:/home/kim/bin:/usr/bin"


def test_askpass_is_set_only_with_external_auth_and_a_single_program() -> None:
    manifest = make_manifest(git_auth_configs=1)
    assert "GIT_ASKPASS" not in build({})
    assert build({}, manifest)["GIT_ASKPASS"] == "/opt/genba"
    assert "GIT_ASKPASS" not in build({}, manifest, ["python", "-m", "genba_agent"])


def test_git_ssh_command_is_quoted_for_a_shell() -> None:
    assert build({}, command=["/my programs/genba"])["GIT_SSH_COMMAND"] == "'/my programs/genba' gitssh --"


def test_what_the_launcher_set_is_taken_back_and_what_the_user_had_is_restored() -> None:
    environ = user_environment(
        {
            "GENBA_LAUNCHER_VARS": "PYTHONHOME LD_LIBRARY_PATH PYTHONPATH PATH",
            "GENBA_EXECUTABLE": "/opt/genba",
            "GENBA_ORIGINAL_LD_LIBRARY_PATH": "/users/own",
            "LD_LIBRARY_PATH": "/launcher",
            "PYTHONHOME": "/launcher",
            "PYTHONPATH": "/launcher",
            "PATH": "/usr/bin",
        }
    )
    assert environ == {"LD_LIBRARY_PATH": "/users/own", "PATH": "/usr/bin"}


def test_users_own_python_variables_stay_without_a_launcher() -> None:
    assert user_environment({"PYTHONPATH": "/mine"}) == {"PYTHONPATH": "/mine"}


def test_own_command_is_how_the_program_was_started(tmp_path: Path) -> None:
    program = tmp_path / "genba"
    program.touch(0o755)
    assert own_command({"GENBA_EXECUTABLE": "/opt/genba"}, str(program)) == ["/opt/genba"]
    assert own_command({}, str(program)) == [str(program)]
    assert own_command({}, "/lib/genba_agent/__main__.py") == [sys.executable, "-P", "-m", "genba_agent"]


def test_own_command_runs_nothing_of_the_folder_that_it_starts_in(tmp_path: Path) -> None:
    (tmp_path / "msgspec.py").write_text("raise SystemExit('of the folder')")
    ended = subprocess.run(
        [*own_command({}, "/lib/genba_agent/__main__.py"), "agent", "search-files"],
        cwd=tmp_path,
        input=b'{"query":"x","folder":"L25vd2hlcmU="}',
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
