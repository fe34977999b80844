from __future__ import annotations

from pathlib import Path

from genba_gateway.provisioner.environment import JOB_MARKER, terraform_environment


def test_only_listed_variables_are_inherited() -> None:
    inherited = {
        "PATH": "/bin",
        "HOME": "/root",
        "https_proxy": "http://proxy",
        "AWS_ACCESS_KEY_ID": "id",
        "GENBA_DATABASE_URL": "postgresql://secret",
        "GENBA_ENCRYPTION_KEYS": "secret",
        "CODER_SESSION_TOKEN": "secret",
        "TF_VAR_secret": "secret",
        "TF_LOG": "TRACE",
        "TF_CLI_CONFIG_FILE": "/root/.terraformrc",
        "PYTHONPATH": "/x",
        "LD_LIBRARY_PATH": "/x",
    }

    environment = terraform_environment(
        inherited, job_id="j1", cli_config=Path("/w/terraform.rc"), reattach={"TF_REATTACH_PROVIDERS": "{}"}
    )

    assert environment == {
        "PATH": "/bin",
        "HOME": "/root",
        "https_proxy": "http://proxy",
        "AWS_ACCESS_KEY_ID": "id",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": "/w/terraform.rc",
        "TF_REATTACH_PROVIDERS": "{}",
        JOB_MARKER: "j1",
    }


def test_debug_asks_terraform_for_its_own_log() -> None:
    environment = terraform_environment({}, job_id="j", cli_config=Path("/c"), reattach={}, debug=True)

    assert environment["TF_LOG"] == "JSON"
