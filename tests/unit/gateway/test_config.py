from __future__ import annotations

from pathlib import Path

import pytest

from genba_gateway.config import Config, load_config
from genba_gateway.errors import ConfigError


def write(tmp_path: Path, text: str) -> str:
    file = tmp_path / "genba.toml"
    file.write_text(text)
    return str(file)


def test_flags_go_before_the_environment_before_the_file_before_defaults(tmp_path: Path) -> None:
    file = write(tmp_path, 'listen = "127.0.0.1:1"\naccess-url = "http://file"\ncancel_grace_s = 5\n')
    environment = {"GENBA_LISTEN": "127.0.0.1:2", "GENBA_ACCESS_URL": "http://environment", "GENBA_TLS_KEY": ""}
    config = load_config({"listen": "127.0.0.1:3", "access_url": None}, environment, file)
    assert (config.listen, config.access_url, config.cancel_grace_s) == ("127.0.0.1:3", "http://environment", 5.0)
    assert (config.tls_key, config.concurrent_builds) == ("", Config().concurrent_builds)


def test_values_are_typed_wherever_they_come_from(tmp_path: Path) -> None:
    file = write(tmp_path, 'allow-host-workspaces = true\ntrusted-proxies = ["10.0.0.0/8"]\nconcurrent-builds = 3\n')
    from_file = load_config({}, {}, file)
    environment = {
        "GENBA_ALLOW_HOST_WORKSPACES": "Yes",
        "GENBA_TRUSTED_PROXIES": "10.0.0.0/8",
        "GENBA_CONCURRENT_BUILDS": "3",
    }
    from_environment = load_config({}, environment, None)
    assert from_file == from_environment
    assert from_file.allow_host_workspaces is True
    assert (from_file.trusted_proxies, from_file.concurrent_builds) == (("10.0.0.0/8",), 3)
    several = load_config({"trusted_proxies": "10.0.0.0/8, ::1 127.0.0.1"}, {}, None)
    assert several.trusted_proxies == ("10.0.0.0/8", "::1", "127.0.0.1")


def test_options_of_ssh_are_read_from_text_and_from_tables(tmp_path: Path) -> None:
    wanted = {"ForwardAgent": "yes", "SetEnv": "A=1"}
    as_table = write(tmp_path, '[ssh-config-options]\nForwardAgent = "yes"\nSetEnv = "A=1"\n')
    assert load_config({}, {}, as_table).ssh_config_options == wanted
    as_list = write(tmp_path, 'ssh-config-options = ["ForwardAgent yes", "SetEnv = A=1"]\n')
    assert load_config({}, {}, as_list).ssh_config_options == wanted
    environment = {"GENBA_SSH_CONFIG_OPTIONS": "ForwardAgent=yes, SetEnv=A=1,"}
    assert load_config({}, environment, None).ssh_config_options == wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen", "3000"),
        ("listen", ":3000"),
        ("listen", "127.0.0.1:0"),
        ("listen", "127.0.0.1:65536"),
        ("listen", "127.0.0.1:http"),
        ("access_url", "genba.example.com"),
        ("apps_url", "http://127.0.0.1:3001"),
        ("apps_url", "apps.example.com"),
        ("apps_url", "http://apps.example.com:99999"),
        ("wildcard_access_url", "apps.example.com"),
        ("disable_path_apps", "perhaps"),
        ("tls_cert", "cert.pem"),
        ("tls_key", "key.pem"),
        ("tls_client_ca", "ca.pem"),
        ("concurrent_builds", "0"),
        ("concurrent_builds", "many"),
        ("busy_poll_us", "-1"),
        ("busy_poll_us", "10001"),
        ("busy_poll_us", "soon"),
        ("cancel_grace_s", "long"),
        ("allow_host_workspaces", "maybe"),
        ("trusted_proxies", "proxy.example.com"),
        ("ssh_hostname_prefix", "coder"),
        ("ssh_hostname_prefix", "*."),
        ("ssh_hostname_suffix", ".genba"),
        ("ssh_hostname_suffix", "a..b"),
        ("ssh_config_options", "ForwardAgent"),
        ("ssh_config_options", "Forward-Agent=yes"),
        ("ssh_config_options", "SetEnv=a\nProxyCommand=b"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_config({}, {f"GENBA_{name.upper()}": value}, None)
    assert name.replace("_", "-").removesuffix("-s") in refused.value.message.replace("_", "-")


@pytest.mark.parametrize(
    "text", ["listen =", "colour = 1", "concurrent_builds = [1]", "data_dir = 5", "allow_host_workspaces = 2"]
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        load_config({}, {}, write(tmp_path, text))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    absent, binary = tmp_path / "absent.toml", tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for file in (absent, binary):
        with pytest.raises(ConfigError, match=file.name):
            load_config({}, {}, str(file))


@pytest.mark.parametrize(
    ("config", "url"),
    [
        (Config(), "http://127.0.0.1:3000"),
        (Config(listen="0.0.0.0:80"), "http://127.0.0.1:80"),
        (Config(listen="[::1]:3000"), "http://[::1]:3000"),
        (Config(listen="[::]:3000"), "http://127.0.0.1:3000"),
        (Config(tls_cert="c", tls_key="k"), "https://127.0.0.1:3000"),
        (Config(access_url="https://genba.example.com/"), "https://genba.example.com"),
    ],
)
def test_clients_are_told_an_address_that_they_can_call(config: Config, url: str) -> None:
    assert config.url == url


def test_a_home_in_the_data_folder_is_resolved(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_config({"data_dir": "~/genba"}, {}, None).data_dir == tmp_path / "genba"


@pytest.mark.parametrize(
    ("listen", "agent_listen", "sentence"),
    [
        ("127.0.0.1:3000", "bridge:3000", "needs an IP address"),
        ("127.0.0.1:3000", "172.17.0.1", "is not HOST:PORT"),
        ("127.0.0.1:3000", "0.0.0.0:3000", "overlap"),
        ("127.0.0.1:3000", "127.0.0.1:3000", "overlap"),
        ("0.0.0.0:3000", "172.17.0.1:3000", "overlap"),
    ],
)
def test_refuses_an_agent_address_that_is_in_doubt(listen: str, agent_listen: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        load_config({"listen": listen, "agent_listen": agent_listen}, {}, None)


def test_takes_an_agent_address_beside_loopback() -> None:
    config = load_config({"agent_listen": "172.17.0.1:3000"}, {}, None)
    assert config.agent_address == ("172.17.0.1", 3000)
    assert load_config({}, {}, None).agent_address is None


def test_apps_have_origins_of_their_own_beside_the_access_url(tmp_path: Path) -> None:
    assert load_config({"listen": "127.0.0.1:4000"}, {}, None).app_hosts.apps_url == "http://apps.localhost:4000"
    file = write(tmp_path, 'access-url = "https://genba.example.com"\nwildcard-access-url = "*.apps.example.com"\n')
    environment = {"GENBA_APPS_URL": "https://apps.example.net", "GENBA_DISABLE_PATH_APPS": "0"}
    hosts = load_config({}, environment, file).app_hosts
    assert (hosts.apps_url, hosts.wildcard_host) == ("https://apps.example.net", "*.apps.example.com")
