from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from genba_gateway.errors import ConfigError
from genba_gateway.provisioner import terraform_binary
from genba_gateway.provisioner.terraform_binary import (
    PINNED_SHA256,
    PINNED_VERSION,
    Release,
    TerraformBinary,
    find_terraform,
)

TERRAFORM = '#!/bin/sh\necho "Warning: something"\necho "Terraform v1.11.4"\necho "on linux_amd64"\n'
TOFU = '#!/bin/sh\necho "OpenTofu v1.9.0-beta1"\n'


def install(directory: Path, name: str, text: str) -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def nothing(line: str) -> None:
    raise AssertionError(line)


@pytest.fixture
def bin_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only directory on PATH."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    return directory


async def test_terraform_on_path_comes_before_tofu(bin_dir: Path, tmp_path: Path) -> None:
    install(bin_dir, "tofu", TOFU)
    assert await find_terraform(None, tmp_path / "cache", nothing) == TerraformBinary(
        bin_dir / "tofu", "1.9.0-beta1", "tofu"
    )

    install(bin_dir, "terraform", TERRAFORM)
    assert await find_terraform(None, tmp_path / "cache", nothing) == TerraformBinary(
        bin_dir / "terraform", "1.11.4", "terraform"
    )


async def test_configured_program_comes_first(bin_dir: Path, tmp_path: Path) -> None:
    install(bin_dir, "terraform", TERRAFORM)
    configured = install(tmp_path / "opt", "my-tofu", TOFU)

    found = await find_terraform(str(configured), tmp_path / "cache", nothing)

    assert (found.path, found.kind) == (configured, "tofu")


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("#!/bin/sh\necho hello\n", "does not answer like Terraform"),
        ("#!/bin/sh\necho Terraform v0.15.5\n", "at least 1.1 is needed"),
        ("not a program", "could not be started"),
    ],
)
async def test_unfit_program_is_refused_with_the_remedy(
    bin_dir: Path, tmp_path: Path, text: str, fragment: str
) -> None:
    install(bin_dir, "terraform", text)

    with pytest.raises(ConfigError, match="put it on PATH") as caught:
        await find_terraform(None, tmp_path, nothing)

    assert fragment in caught.value.message


async def test_absent_configured_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'/absent/terraform' does not exist"):
        await find_terraform("/absent/terraform", tmp_path, nothing)


async def test_program_that_never_answers_is_given_up(
    bin_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terraform_binary, "VERSION_TIMEOUT_S", 0.1)
    install(bin_dir, "terraform", "#!/bin/sh\nexec /bin/sleep 1000\n")

    with pytest.raises(ConfigError, match="did not answer"):
        await find_terraform(None, tmp_path, nothing)


Serve = Callable[[bytes | None], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a release server that answers every request with the given bytes, or 404 with None."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def start(body: bytes | None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *args: object) -> None:
                del format, args

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}/terraform"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def release_zip(text: str = TERRAFORM) -> bytes:
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w") as archive:
        archive.writestr("LICENSE.txt", "BUSL")
        archive.writestr("terraform", text)
    return output.getvalue()


def release(url: str, body: bytes) -> Release:
    return Release("1.11.4", url, dict.fromkeys(PINNED_SHA256, hashlib.sha256(body).hexdigest()))


async def test_pinned_release_is_downloaded_once_and_announced_with_its_licence(
    bin_dir: Path, tmp_path: Path, serve: Serve
) -> None:
    del bin_dir
    body, lines, cache = release_zip(), list[str](), tmp_path / "cache"
    url = serve(body)

    first = await find_terraform(None, cache, lines.append, release=release(url, body))
    again = await find_terraform(None, cache, nothing, release=release("http://127.0.0.1:9", body))

    assert first == again == TerraformBinary(cache / "terraform-1.11.4", "1.11.4", "terraform")
    assert lines[0].startswith("Downloading Terraform 1.11.4 (licence BUSL-1.1) from http://127.0.0.1")
    assert [path.name for path in cache.iterdir()] == ["terraform-1.11.4"]


async def test_download_with_another_checksum_is_thrown_away(bin_dir: Path, tmp_path: Path, serve: Serve) -> None:
    del bin_dir
    url = serve(release_zip("#!/bin/sh\necho evil\n"))

    with pytest.raises(ConfigError, match="does not have the release's checksum"):
        await find_terraform(None, tmp_path / "cache", lambda _: None, release=release(url, release_zip()))

    assert not (tmp_path / "cache" / "terraform-1.11.4").exists()


@pytest.mark.parametrize("body", [None, b"no zip"])
async def test_failed_download_tells_the_remedy(
    bin_dir: Path, tmp_path: Path, serve: Serve, body: bytes | None
) -> None:
    del bin_dir
    with pytest.raises(ConfigError, match=r"could not be downloaded from .*; install terraform .*put it on PATH"):
        await find_terraform(None, tmp_path / "cache", lambda _: None, release=release(serve(body), body or b""))


async def test_unknown_platform_tells_the_remedy(bin_dir: Path, tmp_path: Path) -> None:
    del bin_dir
    with pytest.raises(ConfigError, match=r"none is known for .*; install terraform"):
        await find_terraform(None, tmp_path, nothing, release=Release(PINNED_VERSION, "http://127.0.0.1:9", {}))
