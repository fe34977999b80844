"""The environment of a Terraform process: a list of what it may inherit, and what it needs.

Scripts of templates (`local-exec`) and foreign providers inherit it, so nothing of ours may be in it: no
settings, no database address, no token. Values for our own provider go to the hosted provider instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

# By this variable recovery finds what a job left behind after a crash.
JOB_MARKER = "GENBA_JOB_ID"

_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "XDG_RUNTIME_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "KUBECONFIG",
        "KUBERNETES_SERVICE_HOST",
        "KUBERNETES_SERVICE_PORT",
        "HCLOUD_TOKEN",
    }
)
# Credentials and endpoints that providers of templates read by themselves.
_PREFIXES = (
    "LC_",
    "AWS_",
    "ARM_",
    "AZURE_",
    "GOOGLE_",
    "GCLOUD_",
    "CLOUDSDK_",
    "DIGITALOCEAN_",
    "DOCKER_",
    "KUBE_",
    "OS_",
    "VAULT_",
    "NOMAD_",
    "INCUS_",
    "PROXMOX_VE_",
    "TF_TOKEN_",
)

CLI_CONFIG = """\
# Written by the gateway at every start. Providers are downloaded once for all templates; their lock files are
# not kept, so Terraform has to be told that a cached provider may stand for one it has no checksum of.
disable_checkpoint = true
plugin_cache_dir = {plugin_cache_dir}
plugin_cache_may_break_dependency_lock_file = true
"""


def terraform_environment(
    inherited: Mapping[str, str],
    *,
    job_id: str,
    cli_config: Path,
    reattach: Mapping[str, str],
    debug: bool = False,
) -> dict[str, str]:
    """Return the environment for one job; `reattach` is what the hosted provider asks to add."""
    environment = {name: value for name, value in inherited.items() if name in _NAMES or name.startswith(_PREFIXES)}
    environment.update(
        {
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "TF_CLI_CONFIG_FILE": str(cli_config),
            JOB_MARKER: job_id,
        }
    )
    if debug:
        environment["TF_LOG"] = "JSON"
    environment.update(reattach)
    return environment
