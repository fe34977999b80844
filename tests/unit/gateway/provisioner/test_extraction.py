from __future__ import annotations

import os
from pathlib import Path

import pytest

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.extraction import extract_template
from tests.support.template_archives import template_archive


def test_files_are_written_below_the_target(tmp_path: Path) -> None:
    extract_template(template_archive({"main.tf": "# hi", "modules/a/main.tf": "# a"}), tmp_path)

    assert (tmp_path / "main.tf").read_text() == "# hi"
    assert (tmp_path / "modules/a/main.tf").read_text() == "# a"


@pytest.mark.parametrize("name", ["main.tf.json", "main.tofu"])
def test_other_configuration_files_count(tmp_path: Path, name: str) -> None:
    extract_template(template_archive({name: "{}"}), tmp_path)

    assert (tmp_path / name).exists()


@pytest.mark.parametrize("files", [{}, {"README.md": "x"}, {"folder/main.tf": "x"}])
def test_template_without_configuration_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(ProvisionError, match=r"no Terraform file at its top level; add a main\.tf"):
        extract_template(template_archive(files), tmp_path)


def test_leftovers_of_the_authors_own_runs_stay_out(tmp_path: Path) -> None:
    files = {"main.tf": "", "terraform.tfstate": "{}", ".terraform/modules/modules.json": "{}", ".git/config": ""}

    extract_template(template_archive(files), tmp_path)

    assert os.listdir(tmp_path) == ["main.tf"]


def test_hostile_archive_is_an_error_of_the_job(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError, match="leaves the archive"):
        extract_template(template_archive({"main.tf": "", "../evil": "x"}), tmp_path / "inner")

    assert not (tmp_path / "evil").exists()
