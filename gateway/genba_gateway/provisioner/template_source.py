"""What a template's top-level files say before Terraform runs: variables, and whether `init` is needed.

With nothing but hosted providers and `terraform_data`, no `terraform init` is needed (saves 30 ms and more), so
the files are searched for modules, other providers and backends. Where a file can't be read here, Terraform
decides: `init` runs, and its diagnostics are the ones that the author sees.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import msgspec

from genba_gateway.domain.provisioning import TemplateVariable
from genba_gateway.provisioner.hcl_text import (
    HclError,
    Value,
    blocks_of,
    labeled_blocks_of,
    parse_hcl,
    parse_json,
    value_text,
)

BUILTIN_PROVIDER = "terraform.io/builtin/terraform"
# Registries of both programs: an address without a host means the program's own.
REGISTRY_HOSTS = ("registry.terraform.io", "registry.opentofu.org")
MAX_README_BYTES = 1024 * 1024


class TemplateSource(msgspec.Struct, frozen=True):
    """What the files say. `providers` are addresses, `namespace/type` or with a host in front.

    `is_complete` is False when a file could not be read here, so that nothing may be concluded from what is
    absent. `preset` names the variables that the template's own `*.tfvars` set.
    """

    variables: tuple[TemplateVariable, ...] = ()
    providers: tuple[str, ...] = ()
    has_modules: bool = False
    has_backend: bool = False
    is_complete: bool = True
    preset: tuple[str, ...] = ()

    def needs_init(self, hosted: Collection[str]) -> bool:
        """Tell whether Terraform must install something; `hosted` are full addresses that we serve."""
        if not self.is_complete or self.has_modules or self.has_backend:
            return True
        return any(not _is_hosted(provider, hosted) for provider in self.providers)


def _is_hosted(provider: str, hosted: Collection[str]) -> bool:
    if provider.count("/") == 1:
        return any(f"{host}/{provider}" in hosted for host in REGISTRY_HOSTS)
    return provider == BUILTIN_PROVIDER or provider in hosted


def read_template(directory: Path) -> TemplateSource:
    """Read the top-level files. Blocking, and slow the first time: call it in a thread."""
    reader = _Reader()
    for path in sorted(directory.iterdir()):
        if path.is_file():
            reader.read(path)
    return reader.result()


def read_readme(directory: Path) -> str:
    """Return the text of README.md at the top level, cut at `MAX_README_BYTES`, empty when there is none."""
    for path in sorted(directory.iterdir()):
        if path.name.lower() == "readme.md" and path.is_file():
            with path.open("rb") as file:
                # PostgreSQL's text takes no NUL.
                return file.read(MAX_README_BYTES).decode("utf-8", "replace").replace("\0", "")
    return ""


class _Reader:
    def __init__(self) -> None:
        self._variables: dict[str, dict[str, Value]] = {}
        self._required: dict[str, str] = {}
        self._used: set[str] = set()
        self._preset: set[str] = set()
        self._has_modules = False
        self._has_backend = False
        self._is_complete = True

    def read(self, path: Path) -> None:
        name = path.name
        try:
            if name.endswith((".tf", ".tofu")):
                self._take(parse_hcl(path.read_text("utf-8-sig")))
            elif name.endswith((".tf.json", ".tofu.json")):
                self._take(parse_json(path.read_text("utf-8-sig")))
            elif name == "terraform.tfvars" or name.endswith(".auto.tfvars"):
                self._preset.update(parse_hcl(path.read_text("utf-8-sig")))
            elif name == "terraform.tfvars.json" or name.endswith(".auto.tfvars.json"):
                self._preset.update(parse_json(path.read_text("utf-8-sig")))
        except (HclError, UnicodeDecodeError):
            self._is_complete = False

    def _take(self, body: Mapping[str, Value]) -> None:
        for name, block in labeled_blocks_of(body.get("variable")):
            # An override file repeats a variable; its arguments win one by one.
            self._variables.setdefault(name, {}).update(block)
        for block in blocks_of(body.get("terraform")):
            self._has_backend = self._has_backend or "backend" in block or "cloud" in block
            for providers in blocks_of(block.get("required_providers")):
                self._require(providers)
        self._has_modules = self._has_modules or bool(labeled_blocks_of(body.get("module")))
        self._used.update(name for name, _ in labeled_blocks_of(body.get("provider")))
        for kind in ("resource", "data", "ephemeral"):
            for resource_type, named in labeled_blocks_of(body.get(kind)):
                for block in (inner for value in named.values() for inner in blocks_of(value)):
                    self._used.add(_provider_name(resource_type, block.get("provider")))

    def _require(self, providers: Mapping[str, Value]) -> None:
        for name, requirement in providers.items():
            source = requirement.get("source") if isinstance(requirement, Mapping) else None
            address = source if isinstance(source, str) else name
            self._required[name] = (address if "/" in address else f"hashicorp/{address}").lower()

    def result(self) -> TemplateSource:
        implied = {name for name in self._used if name not in self._required and name != "terraform"}
        return TemplateSource(
            variables=tuple(_convert_variable(name, self._variables[name]) for name in sorted(self._variables)),
            providers=tuple(sorted({*self._required.values(), *(f"hashicorp/{name}" for name in implied)})),
            has_modules=self._has_modules,
            has_backend=self._has_backend,
            is_complete=self._is_complete,
            preset=tuple(sorted(self._preset)),
        )


def _provider_name(resource_type: str, meta_argument: Value) -> str:
    """Return the provider's local name: the `provider` argument's, else the first word of the type."""
    if meta_argument is None:
        return resource_type.partition("_")[0]
    return value_text(meta_argument).partition(".")[0]


def _convert_variable(name: str, arguments: Mapping[str, Value]) -> TemplateVariable:
    default = value_text(arguments.get("default"))
    return TemplateVariable(
        name=name,
        description=value_text(arguments.get("description")),
        type=value_text(arguments.get("type")),
        value=default,
        default_value=default,
        required="default" not in arguments,
        sensitive=arguments.get("sensitive") in (True, "true"),
    )
