from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from genba_agent.data_dir import open_data_dir
from genba_agent.options import parse_options
from genba_agent.script_settings import ScriptSettings, make_settings
from tests.support.agent_builders import make_manifest
from tests.support.agent_gateway import TOKEN


def make(folder: Path, directory: str) -> ScriptSettings:
    manifest = make_manifest(directory=directory, environment_variables={"PLACE": "there"})
    environ = {"HOME": str(folder), "SHELL": "/bin/sh", "USER": "kim"}
    options = parse_options(
        ["--log-dir", str(folder / "logs")], {"CODER_AGENT_URL": "http://genba", "CODER_AGENT_TOKEN": TOKEN}
    )
    return make_settings(manifest, options, ["/opt/genba"], open_data_dir(folder / "data", manifest), environ)


def test_settings_are_the_users_and_the_manifests(tmp_path: Path) -> None:
    settings = make(tmp_path, "")
    assert (settings.home, settings.directory, settings.log_dir) == (str(tmp_path), str(tmp_path), tmp_path / "logs")
    assert settings.environ["CODER_AGENT_TOKEN"] == TOKEN
    assert settings.environ["PLACE"] == "there"


def test_directory_is_expanded_with_the_manifests_variables(tmp_path: Path) -> None:
    assert make(tmp_path, "~/src/$PLACE").directory == f"{tmp_path}/src/there"
    assert make(tmp_path, "src").directory == f"{tmp_path}/src"


def test_working_directory_is_the_first_that_exists(tmp_path: Path) -> None:
    settings = make(tmp_path, "src")
    assert settings.find_working_directory() == str(tmp_path)
    (tmp_path / "src").mkdir()
    assert settings.find_working_directory() == f"{tmp_path}/src"
    assert replace(settings, home="/absent", directory="/absent").find_working_directory() == "/"
