"""Addresses, and the folder of the session."""

from __future__ import annotations

from pathlib import Path

import pytest

from genba_ide_bridge.cli.options import GlobalFlags, Settings, split_list
from genba_ide_bridge.cli.session import SessionFolder, default_config_dir, normalize_url
from genba_ide_bridge.errors import BridgeError, NotSignedIn


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("gateway.example.com", "https://gateway.example.com"),
        ("localhost:3000/", "http://localhost:3000"),
        ("127.0.0.1:3000", "http://127.0.0.1:3000"),
        (" https://x.test/sub// ", "https://x.test/sub"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_addresses_are_completed(text: str, url: str) -> None:
    assert normalize_url(text) == url


@pytest.mark.parametrize("text", ["", "ftp://x", "https://", "http://x:port", "http://[x"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BridgeError):
        normalize_url(text)


def test_a_session_is_kept_and_forgotten(tmp_path: Path) -> None:
    folder = SessionFolder(tmp_path / "a" / "b")
    assert (folder.read_url(), folder.read_token(), folder.delete()) == ("", "", False)
    folder.write("https://x.test", "token")
    folder.write("https://y.test", "other")
    assert (folder.read_url(), folder.read_token()) == ("https://y.test", "other")
    assert sorted(path.name for path in folder.path.iterdir()) == ["session", "url"]
    assert folder.delete()


def test_a_session_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BridgeError, match="Can't keep the session"):
        SessionFolder(tmp_path / "file" / "sub").write("https://x.test", "token")


def test_settings_come_from_flags_then_genba_then_coder_then_the_folder(tmp_path: Path) -> None:
    SessionFolder(tmp_path).write("https://kept.test", "kept")
    environment = {"CODER_CONFIG_DIR": str(tmp_path)}
    settings = Settings(GlobalFlags(), environment)
    assert (settings.url(), settings.token()) == ("https://kept.test", "kept")
    environment |= {"CODER_URL": "coder.test", "CODER_SESSION_TOKEN": "coder"}
    assert (settings.url(), settings.token()) == ("https://coder.test", "coder")
    environment |= {"GENBA_URL": "genba.test", "GENBA_SESSION_TOKEN": "genba"}
    assert (settings.url(), settings.token()) == ("https://genba.test", "genba")
    flags = Settings(GlobalFlags(url="flag.test", token="flag"), environment)
    assert (flags.url(), flags.token()) == ("https://flag.test", "flag")
    environment |= {"GENBA_CONFIG_DIR": str(tmp_path / "other")}
    assert settings.folder.path == tmp_path / "other"


def test_no_gateway_at_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotSignedIn):
        Settings(GlobalFlags(global_config=str(tmp_path)), {}).url()


def test_headers_are_pairs(tmp_path: Path) -> None:
    environment = {"CODER_HEADER": '"X-A=1,2",X-B=3'}
    assert Settings(GlobalFlags(global_config=str(tmp_path)), environment).headers() == {"X-A": "1,2", "X-B": "3"}
    for command, words in (("exit 3", "exit code 3"), ("echo nonsense", "NAME=VALUE")):
        flags = GlobalFlags(global_config=str(tmp_path), header_command=command)
        with pytest.raises(BridgeError, match=words):
            Settings(flags, {}).headers()


def test_lists_in_variables_are_split_at_commas() -> None:
    assert split_list('a=1,"b=2,3",,c') == ["a=1", "b=2,3", "c"]


def test_without_a_home_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", no_home)
    with pytest.raises(BridgeError, match="GENBA_CONFIG_DIR"):
        default_config_dir()
