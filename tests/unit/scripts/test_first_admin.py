"""The first admin: made once, signed in again by the password that was kept."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import pytest

from scripts import first_admin
from scripts.clone import RunFolders
from scripts.failures import ScriptFailure
from scripts.first_admin import sign_in_admin
from scripts.genba_command import GenbaCommand


class FakeGateway:
    """Stands for ApiSession: knows whether there is a user and which password is right."""

    has_user = False
    password = ""

    def __init__(self, url: str) -> None:
        self.url = url

    @classmethod
    def from_config(cls, config: Path) -> FakeGateway:
        if not (config / "session").exists():
            raise ScriptFailure("Nobody is signed in")
        return cls((config / "url").read_text())

    def has_first_user(self) -> bool:
        return self.has_user

    def is_signed_in(self) -> bool:
        return True

    def sign_in(self, email: str, password: str) -> str:
        assert (email, password) == (first_admin.EMAIL, self.password)
        return "token"


class FakeGenba:
    """Stands for the command: `login` keeps a session, or is killed before it does."""

    def __init__(self, config: Path, *, is_killed: bool = False) -> None:
        self._config = config
        self.is_killed = is_killed
        self.secrets: list[dict[str, str]] = []

    def run(self, title: str, *arguments: str, secrets: Mapping[str, str]) -> None:
        self.secrets.append(dict(secrets))
        if self.is_killed:
            raise KeyboardInterrupt
        self._config.mkdir(exist_ok=True)
        (self._config / "url").write_text(arguments[1])
        (self._config / "session").write_text("token")


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> type[FakeGateway]:
    class Fresh(FakeGateway):
        pass

    monkeypatch.setattr(first_admin, "ApiSession", Fresh)
    return Fresh


def sign_in(folders: RunFolders, genba: FakeGenba, url: str = "http://x") -> None:
    assert sign_in_admin(folders, url, cast(GenbaCommand, genba)).url == url


def test_the_password_is_written_whole_to_a_private_file(tmp_path: Path, gateway: type[FakeGateway]) -> None:
    folders = RunFolders(tmp_path)
    genba = FakeGenba(folders.config)
    sign_in(folders, genba)
    kept = folders.password.read_text().strip()
    assert genba.secrets == [{"CODER_FIRST_USER_PASSWORD": kept}]
    assert stat.S_IMODE(folders.password.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["admin-password", "config"]


def test_a_run_that_ended_half_way_is_gone_on_with(tmp_path: Path, gateway: type[FakeGateway]) -> None:
    folders = RunFolders(tmp_path)
    genba = FakeGenba(folders.config, is_killed=True)
    with pytest.raises(KeyboardInterrupt):
        sign_in(folders, genba)
    genba.is_killed = False
    sign_in(folders, genba)
    assert genba.secrets[0] == genba.secrets[1]


def test_an_empty_file_is_no_password(tmp_path: Path, gateway: type[FakeGateway]) -> None:
    folders = RunFolders(tmp_path)
    folders.password.write_text("")
    genba = FakeGenba(folders.config)
    sign_in(folders, genba)
    assert len(genba.secrets[0]["CODER_FIRST_USER_PASSWORD"]) >= 20


def test_a_kept_session_needs_nothing_and_another_address_the_password(
    tmp_path: Path, gateway: type[FakeGateway]
) -> None:
    folders = RunFolders(tmp_path)
    genba = FakeGenba(folders.config)
    sign_in(folders, genba)
    gateway.has_user, gateway.password = True, folders.password.read_text().strip()
    sign_in(folders, genba)
    assert len(genba.secrets) == 1
    sign_in(folders, genba, "http://y")
    assert genba.secrets[1] == {"CODER_SESSION_TOKEN": "token"}


def test_a_lost_password_is_told_with_what_to_do(tmp_path: Path, gateway: type[FakeGateway]) -> None:
    gateway.has_user = True
    folders = RunFolders(tmp_path)
    with pytest.raises(ScriptFailure, match="is missing, so nobody can be signed in"):
        sign_in(folders, FakeGenba(folders.config))
