from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from genba_gateway.config import Config
from genba_gateway.services.deployment_config import SECRETS, describe_config
from genba_wire.api.message import encode_message


def test_every_setting_is_named_and_a_secret_one_has_no_value() -> None:
    config = Config(
        listen="127.0.0.1:8443",
        data_dir=Path("/srv/genba"),
        database_url="postgresql://genba:hunter22@db/genba",
        tls_cert="/etc/cert.pem",
        tls_key="/etc/key.pem",
        trusted_proxies=("10.0.0.0/8", "127.0.0.1"),
        ssh_config_options={"ForwardAgent": "yes", "LogLevel": "ERROR"},
        allow_host_workspaces=True,
    )
    described = describe_config(config)
    assert b"hunter22" not in encode_message(described)
    options = {option.env: option for option in described.options}
    assert set(options) == {f"GENBA_{field.name.upper()}" for field in fields(Config)}
    secret = options["GENBA_DATABASE_URL"]
    assert (secret.value, secret.annotations) == ("", {"secret": "true"})
    assert options["GENBA_LISTEN"].flag == "listen"
    assert (options["GENBA_LISTEN"].value, options["GENBA_LISTEN"].default) == ("127.0.0.1:8443", "127.0.0.1:3000")
    assert options["GENBA_DATA_DIR"].value == "/srv/genba"
    assert options["GENBA_TRUSTED_PROXIES"].value == "10.0.0.0/8,127.0.0.1"
    assert options["GENBA_SSH_CONFIG_OPTIONS"].value == "ForwardAgent=yes,LogLevel=ERROR"
    assert options["GENBA_ALLOW_HOST_WORKSPACES"].value == "true"


def test_the_contracts_own_names_are_filled_as_far_as_there_is_something_behind_them() -> None:
    plain = describe_config(Config()).config
    assert plain["access_url"] == "http://127.0.0.1:3000"
    assert plain["tls"] == {"enable": False, "address": "", "cert_file": [], "key_file": [], "client_ca_file": ""}
    secure = describe_config(Config(tls_cert="/c", tls_key="/k", ssh_config_options={"A": "b"})).config
    assert secure["secure_auth_cookie"] is True
    assert secure["tls"] == {
        "enable": True,
        "address": "127.0.0.1:3000",
        "cert_file": ["/c"],
        "key_file": ["/k"],
        "client_ca_file": "",
    }
    assert secure["config_ssh"] == {"deploymentName": "coder.", "sshconfigOptions": ["A=b"]}


def test_no_setting_that_could_hold_a_secret_is_left_out() -> None:
    suspicious = {
        field.name
        for field in fields(Config)
        if any(word in field.name for word in ("url", "secret", "password", "token"))
    } - {"access_url", "apps_url", "wildcard_access_url"}
    assert suspicious == SECRETS
