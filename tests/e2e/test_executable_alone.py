"""The executable in a root folder that holds busybox and nothing else."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from genba_wire.version import VERSION_LINE
from scripts.build_agent import OUTPUT, machine_arch, prepare_executable
from tests.support.debian_packages import MissingPart, fetch_package
from tests.support.tls import make_server_tls

CHROOT = shutil.which("chroot") or "/usr/sbin/chroot"


@pytest.fixture(scope="module")
def executable() -> Path:
    if prepare_executable() is None:
        pytest.skip("the executable can't be assembled here")
    return OUTPUT / f"genba-linux-{machine_arch()}"


@pytest.fixture
def bare_root(executable: Path, short_dir: Path) -> Path:
    """A root folder with busybox and the executable, and nothing else."""
    if os.geteuid() != 0:
        pytest.skip("needs root for chroot")
    try:
        busybox = fetch_package("busybox-static", short_dir / "debs") / "bin" / "busybox"
    except MissingPart as missing:
        pytest.skip(str(missing))
    root = short_dir / "root"
    for folder in ("bin", "dev", "tmp"):
        (root / folder).mkdir(parents=True)
    shutil.copy(busybox, root / "bin" / "busybox")
    for name in ("sh", "tail", "gzip", "tar", "mkdir", "mv", "rm", "id"):
        (root / "bin" / name).symlink_to("busybox")
    shutil.copy(executable, root / "genba")
    (root / "dev" / "null").touch()
    return root


def start_in(root: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [CHROOT, root, "/genba", *arguments],
        env={"PATH": "/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_starts_where_busybox_is_all_there_is(bare_root: Path) -> None:
    done = start_in(bare_root, "version")
    assert (done.returncode, done.stdout) == (0, VERSION_LINE + "\n"), done.stderr


@contextmanager
def another_server(tls: tuple[Path, Path] | None = None) -> Generator[int]:
    """A server on a loopback port that is no gateway: to be told so, a client has to reach it."""
    with HTTPServer(("127.0.0.1", 0), NoGateway) as server:
        if tls is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*tls)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


class NoGateway(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()
        self.wfile.write(b"welcome")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


REACHED = "something that is not Genba's API"


def test_verifies_a_gateway_by_whatever_authorities_are_there(bare_root: Path, short_dir: Path) -> None:
    certificate, key = make_server_tls(short_dir)
    with another_server((certificate, key)) as port:

        def ask(**environment: str) -> str:
            return start_in(
                bare_root, "whoami", "--url", f"https://127.0.0.1:{port}", "--token", "x", **environment
            ).stderr

        # Nothing but the list that it carries, which does not know our authority.
        said = ask()
        assert "CERTIFICATE_VERIFY_FAILED" in said, said
        assert "GENBA_CA_FILE" in said
        shutil.copy(certificate, bare_root / "ca.pem")
        assert REACHED in ask(GENBA_CA_FILE="/ca.pem")
        assert REACHED in ask(SSL_CERT_FILE="/ca.pem")
        for place in ("etc/ssl/certs/ca-certificates.crt", "etc/pki/tls/certs/ca-bundle.crt", "etc/ssl/cert.pem"):
            bundle = bare_root / place
            bundle.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(certificate, bundle)
            assert REACHED in ask(), place
            bundle.unlink()
        (carried,) = bare_root.glob("var/tmp/genba-0/genba-*/site/certifi/cacert.pem")
        shutil.copy(certificate, carried)
        assert REACHED in ask(), "the list that it carries"


def test_starts_with_a_name_service_that_it_does_not_have(bare_root: Path) -> None:
    (bare_root / "etc").mkdir()
    (bare_root / "etc" / "hosts").write_text("127.0.0.1 localhost\n")
    (bare_root / "etc" / "nsswitch.conf").write_text(
        "passwd: sss files systemd\ngroup: sss\nhosts: resolve [!UNAVAIL=return] mymachines files dns\n"
    )
    with another_server() as port:
        done = start_in(bare_root, "whoami", "--url", f"http://localhost:{port}", "--token", "x")
    assert REACHED in done.stderr, done.stderr
