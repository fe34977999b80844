"""The init script where busybox is all there is: its shell, its wget, its tools, as Debian packs them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.debian_packages import MissingPart, fetch_package
from tests.unit.gateway.bootstrap.test_linux import AGENT, KEY, command, serving


@pytest.fixture(scope="module", params=["busybox", "busybox-static"])
def busybox(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    package: str = request.param
    try:
        return fetch_package(package, tmp_path_factory.mktemp("debs")) / "bin" / "busybox"
    except MissingPart as missing:
        pytest.skip(str(missing))


def run(tmp_path: Path, busybox: Path, url: str) -> subprocess.CompletedProcess[str]:
    argv, settings = command(tmp_path, url, environment={})
    path = Path(settings["PATH"])
    sleep = (path / "sleep").read_text()
    shutil.rmtree(path)
    path.mkdir()
    subprocess.run([busybox, "--install", "-s", path], check=True)
    (path / "sleep").unlink()
    (path / "sleep").write_text(sleep)
    (path / "sleep").chmod(0o755)
    return subprocess.run(
        [busybox, "sh", *argv[-2:]], env=settings, capture_output=True, text=True, timeout=60, check=False
    )


def test_busyboxs_own_wget_downloads_the_agent(tmp_path: Path, busybox: Path) -> None:
    with serving(AGENT) as gateway:
        done = run(tmp_path, busybox, gateway.url)
    assert (done.returncode, done.stdout) == (0, f"agent {gateway.url} token\n"), done.stderr
    assert gateway.reports == []


def test_busyboxs_own_wget_tells_the_gateway_what_failed(tmp_path: Path, busybox: Path) -> None:
    with serving(404, AGENT) as gateway:
        done = run(tmp_path, busybox, gateway.url)
    assert done.returncode == 0, done.stderr
    assert [report.splitlines()[0] for report in gateway.reports] == [KEY]
    assert "download failed: wget: server returned error: HTTP/1.0 404" in gateway.reports[0]
