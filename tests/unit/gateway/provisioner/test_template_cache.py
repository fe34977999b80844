from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genba_gateway.domain.provisioning import TemplateVariable
from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner import template_cache
from genba_gateway.provisioner.template_cache import KEEP_S, CachedTemplate, TemplateCache, fingerprint_of
from genba_gateway.provisioner.template_source import TemplateSource

FINGERPRINT = fingerprint_of(b"archive", "terraform-1.11.4", ("b", "a"))
SOURCE = TemplateSource(variables=(TemplateVariable("x", required=True),), providers=("coder/coder",), has_modules=True)


def fill(cache: TemplateCache, directory: Path, version: str = "v1", text: str = "# main") -> CachedTemplate:
    (directory / "sub").mkdir(parents=True, exist_ok=True)
    (directory / "main.tf").write_text(text)
    (directory / "sub/run.sh").write_text("#!/bin/sh\n")
    (directory / "sub/run.sh").chmod(0o755)
    cached = CachedTemplate(FINGERPRINT, SOURCE, "digraph {}")
    cache.publish(version, cache.stage("job", directory), cached)
    return cached


def test_entry_comes_back_whole(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path / "versions")
    cached = fill(cache, tmp_path / "source")
    target = tmp_path / "target"
    target.mkdir()

    assert cache.checkout("v1", FINGERPRINT, target) == cached
    assert (target / "main.tf").read_text() == "# main"
    assert os.access(target / "sub/run.sh", os.X_OK)


def test_copy_may_be_changed_without_changing_the_entry(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path / "versions")
    fill(cache, tmp_path / "source")
    for name in ("first", "second"):
        target = tmp_path / name
        target.mkdir()
        cache.checkout("v1", FINGERPRINT, target)
        assert (target / "main.tf").read_text() == "# main"
        (target / "main.tf").write_text("changed")


@pytest.mark.parametrize(
    "other",
    [
        fingerprint_of(b"other", "terraform-1.11.4", ("a", "b")),
        fingerprint_of(b"archive", "tofu-1.9.0", ("a", "b")),
        fingerprint_of(b"archive", "terraform-1.11.4", ("a",)),
    ],
)
def test_entry_for_something_else_is_not_used_and_is_replaced(
    tmp_path: Path, other: template_cache.Fingerprint
) -> None:
    cache = TemplateCache(tmp_path / "versions")
    fill(cache, tmp_path / "source")

    assert cache.checkout("v1", other, tmp_path) is None
    cache.publish("v1", cache.stage("j2", tmp_path / "source"), CachedTemplate(other, SOURCE, "new"))
    target = tmp_path / "target"
    target.mkdir()

    assert cache.checkout("v1", other, target) == CachedTemplate(other, SOURCE, "new")
    assert os.listdir(tmp_path / "versions") == ["v1"]


def test_order_of_hosted_providers_does_not_matter() -> None:
    assert fingerprint_of(b"archive", "terraform-1.11.4", ("a", "b")) == FINGERPRINT


def test_damaged_entry_leaves_an_empty_target(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path / "versions")
    fill(cache, tmp_path / "source")
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "versions/v1/template.json").write_text("{")

    assert cache.checkout("v1", FINGERPRINT, target) is None
    assert list(target.iterdir()) == []


def test_providers_are_linked_and_links_kept(tmp_path: Path) -> None:
    source = tmp_path / "source"
    package = source / ".terraform/providers/registry.terraform.io/a/b/1.0.0/linux_amd64"
    package.mkdir(parents=True)
    (package / "terraform-provider-b").write_text("large")
    (package.parent / "linked").symlink_to("/elsewhere")
    target = tmp_path / "target"

    template_cache.copy_template(source, target)

    copied = target / package.relative_to(source)
    assert (copied / "terraform-provider-b").stat().st_ino == (package / "terraform-provider-b").stat().st_ino
    assert os.readlink(copied.parent / "linked") == "/elsewhere"


def test_old_entries_beyond_the_limit_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "MAX_VERSIONS", 2)
    versions = tmp_path / "versions"
    cache = TemplateCache(versions)
    long_ago = time.time() - KEEP_S - 60
    for age, name in enumerate(["older", "old", ".staging-crashed"]):
        (versions / name).mkdir(parents=True)
        os.utime(versions / name, (long_ago + age, long_ago + age))

    fill(cache, tmp_path / "source")

    assert sorted(os.listdir(versions)) == ["old", "v1"]


def test_recently_used_entries_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_cache, "MAX_VERSIONS", 1)
    cache = TemplateCache(tmp_path / "versions")
    for name in ("a", "b", "c"):
        fill(cache, tmp_path / "source", name)

    assert sorted(os.listdir(tmp_path / "versions")) == ["a", "b", "c"]


def test_discarded_staging_leaves_nothing(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path / "versions")
    (tmp_path / "source").mkdir()

    cache.discard(cache.stage("job", tmp_path / "source"))

    assert os.listdir(tmp_path / "versions") == []


def test_version_id_stays_inside(tmp_path: Path) -> None:
    with pytest.raises(ProvisionError):
        TemplateCache(tmp_path).checkout("../x", FINGERPRINT, tmp_path)


def test_an_entry_that_can_not_be_copied_is_made_anew(tmp_path: Path) -> None:
    cache = TemplateCache(tmp_path / "versions")
    fill(cache, tmp_path / "source")
    link = tmp_path / "versions/v1/source/main.tf"
    link.unlink()
    os.mkfifo(link)  # as good as a file that another job removes while it is copied: `shutil.Error`
    target = tmp_path / "target"
    target.mkdir()

    assert cache.checkout("v1", FINGERPRINT, target) is None
    assert list(target.iterdir()) == []


def test_a_staged_copy_that_goes_away_meanwhile_does_not_fail_a_publication(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = TemplateCache(tmp_path / "versions")
    list_folder = Path.iterdir
    gone = tmp_path / "versions" / ".staging-other"

    def list_with_gone(folder: Path) -> Iterator[Path]:
        return iter([*list_folder(folder), gone])

    monkeypatch.setattr(Path, "iterdir", list_with_gone)
    fill(cache, tmp_path / "source")
    assert os.listdir(tmp_path / "versions") == ["v1"]
