"""What goes into a template's tar, and what comes out of one."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest

from genba_ide_bridge.cli import archive
from genba_ide_bridge.cli.archive import pack_template, unpack_template
from genba_ide_bridge.errors import BridgeError


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def names_in(tar: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(tar)) as opened:
        return opened.getnames()


def tar_of(*members: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as opened:
        for member in members:
            opened.addfile(member)
    return buffer.getvalue()


def test_hidden_files_state_and_values_stay_at_home(tmp_path: Path) -> None:
    kept = [".terraform.lock.hcl", "build/Dockerfile", "main.tf", "notes.tfvars", "sub/x.tf"]
    left_out = ["a.auto.tfvars", "b.auto.tfvars.json", "sub/terraform.tfvars", "terraform.tfvars.json"]
    silent = [".env", ".git/config", ".terraform/x", "terraform.tfstate", "terraform.tfstate.backup", "x.tfstate.d/y"]
    write(tmp_path, *kept, *left_out, *silent)
    packed = pack_template(tmp_path)
    assert names_in(packed.tar) == kept
    assert packed.left_out == tuple(left_out)


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    write(one, "a.tf", "b/c.sh")
    write(two, "b/c.sh", "a.tf")
    for folder in (one, two):
        (folder / "b" / "c.sh").chmod(0o755)
    os.utime(two / "a.tf", (1, 1))
    assert pack_template(one).tar == pack_template(two).tar


def test_a_folder_without_terraform_at_its_top_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "sub/main.tf", "readme.md")
    with pytest.raises(BridgeError, match="holds no Terraform"):
        pack_template(tmp_path)
    with pytest.raises(BridgeError, match="no folder"):
        pack_template(tmp_path / "absent")
    write(tmp_path, "main.tf.json")
    assert names_in(pack_template(tmp_path).tar) == ["main.tf.json", "readme.md", "sub/main.tf"]


def test_links_are_followed_within_the_folder_and_refused_beyond(tmp_path: Path) -> None:
    folder = tmp_path / "template"
    write(folder, "main.tf")
    write(tmp_path, "secret")
    (folder / "copy.tf").symlink_to("main.tf")
    with tarfile.open(fileobj=io.BytesIO(pack_template(folder).tar)) as opened:
        assert opened.getmember("copy.tf").isreg()
    (folder / "leak").symlink_to("../secret")
    with pytest.raises(BridgeError, match="leads out of the folder"):
        pack_template(folder)
    (folder / "leak").unlink()
    (folder / "etc").symlink_to("/etc")
    with pytest.raises(BridgeError, match="link to a folder"):
        pack_template(folder)


def test_the_largest_files_are_named_when_there_is_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "main.tf")
    (tmp_path / "big.bin").write_bytes(bytes(40_000))
    exact = len(pack_template(tmp_path).tar)
    monkeypatch.setattr(archive, "MAX_TAR_BYTES", exact + 2 * tarfile.RECORDSIZE)
    assert len(pack_template(tmp_path).tar) == exact
    monkeypatch.setattr(archive, "MAX_TAR_BYTES", exact - 2 * tarfile.RECORDSIZE)
    with pytest.raises(BridgeError, match="holds 0 MB") as refused:
        pack_template(tmp_path)
    assert refused.value.hint.startswith("The largest files: big.bin (0.0 MB), main.tf")


def test_what_was_packed_is_unpacked_with_its_modes(tmp_path: Path) -> None:
    write(tmp_path / "one", "main.tf", "sub/run.sh")
    (tmp_path / "one" / "sub" / "run.sh").chmod(0o755)
    assert unpack_template(pack_template(tmp_path / "one").tar, tmp_path / "two") == 2
    assert (tmp_path / "two" / "main.tf").read_text() == "main.tf"
    assert os.access(tmp_path / "two" / "sub" / "run.sh", os.X_OK)


def test_nothing_is_written_outside_or_as_a_link(tmp_path: Path) -> None:
    link = tarfile.TarInfo("link")
    link.type = tarfile.SYMTYPE
    link.linkname = "/etc/passwd"
    for bad in (tarfile.TarInfo("../evil"), tarfile.TarInfo("/tmp/evil"), link):
        with pytest.raises(BridgeError, match="nothing was written"):
            unpack_template(tar_of(tarfile.TarInfo("good"), bad), tmp_path / "out")
        assert not (tmp_path / "out").exists()
    with pytest.raises(BridgeError, match="Can't unpack"):
        unpack_template(b"no tar at all", tmp_path)
