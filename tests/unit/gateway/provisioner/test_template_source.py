from __future__ import annotations

from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import TemplateVariable
from genba_gateway.provisioner.template_source import MAX_README_BYTES, TemplateSource, read_readme, read_template

CODER = "registry.terraform.io/coder/coder"


def source_of(directory: Path, **files: str) -> TemplateSource:
    for name, text in files.items():
        (directory / name.replace("__", ".")).write_text(text)
    return read_template(directory)


def test_variables_have_types_defaults_and_marks(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        main__tf="""
        variable "region" {
          type        = string
          description = "Where"
          default     = "eu"
        }
        variable "sizes" {
          type    = list(number)
          default = [1, 2]
        }
        variable "key" {
          sensitive = true
        }
        variable "nothing" {
          default = null
        }
        """,
    )

    assert source.variables == (
        TemplateVariable("key", type="", required=True, sensitive=True),
        TemplateVariable("nothing", type=""),
        TemplateVariable("region", "Where", "string", "eu", "eu"),
        TemplateVariable("sizes", "", "list(number)", "[1, 2]", "[1, 2]"),
    )
    assert source.is_complete


def test_json_files_say_the_same(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        main__tf__json="""{
          "variable": {"a": {"type": "string", "default": "x"}, "b": {}},
          "terraform": {"required_providers": {"coder": {"source": "coder/coder"}}},
          "resource": {"coder_agent": {"main": {"os": "linux"}}}
        }""",
    )

    assert [(variable.name, variable.required) for variable in source.variables] == [("a", False), ("b", True)]
    assert source.providers == ("coder/coder",)


def test_override_file_changes_single_arguments(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        main__tf='variable "a" {\n description = "kept"\n}\n',
        x_override__tf='variable "a" {\n default = "given"\n}\n',
    )

    assert source.variables == (TemplateVariable("a", "kept", "", "given", "given"),)


@pytest.mark.parametrize(
    ("text", "needs_init"),
    [
        ('resource "terraform_data" "a" {}', False),
        ('terraform {\n required_providers {\n coder = {\n source = "coder/coder"\n }\n }\n}', False),
        (
            'terraform {\n required_providers {\n c = {\n source = "Coder/Coder"\n }\n }\n}\nresource "c_agent" "a" {}',
            False,
        ),
        (
            'terraform {\n required_providers {\n coder = {\n source = "registry.terraform.io/coder/coder"\n }\n }\n}',
            False,
        ),
        ('resource "coder_agent" "a" {}', True),
        ('resource "docker_container" "a" {}', True),
        ('data "http" "a" {}', True),
        ('provider "aws" {}', True),
        ('terraform {\n required_providers {\n docker = {\n source = "kreuzwerker/docker"\n }\n }\n}', True),
        ('resource "terraform_data" "a" {\n provider = other.alias\n}', True),
        ('module "m" {\n source = "./m"\n}', True),
        ('terraform {\n backend "s3" {}\n}', True),
        ("terraform {\n cloud {}\n}", True),
        ("this is not HCL {", True),
    ],
)
def test_init_is_needed_for_what_is_not_hosted(tmp_path: Path, text: str, needs_init: bool) -> None:
    assert source_of(tmp_path, main__tf=text).needs_init({CODER}) is needs_init


def test_hosted_provider_without_namespace_needs_no_init(tmp_path: Path) -> None:
    source = source_of(tmp_path, main__tf='resource "coder_agent" "a" {}')

    assert not source.needs_init({CODER, "registry.terraform.io/hashicorp/coder"})


def test_values_in_the_templates_own_files_are_noted(tmp_path: Path) -> None:
    source = source_of(
        tmp_path,
        main__tf="",
        terraform__tfvars='a = "x"\n',
        more__auto__tfvars__json='{"b": 1}',
        other__tfvars='c = "not loaded"\n',
    )

    assert source.preset == ("a", "b")


def test_readme_is_found_and_cut(tmp_path: Path) -> None:
    assert read_readme(tmp_path) == ""

    (tmp_path / "Readme.md").write_bytes(b"\xff\0" + b"x" * MAX_README_BYTES)

    assert read_readme(tmp_path) == "\ufffd" + "x" * (MAX_README_BYTES - 2)
