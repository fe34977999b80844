"""A gateway that speaks TLS and wants certificates of its clients: agent, command line and terminal as they are run."""

from __future__ import annotations

import asyncio
import signal
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cli_process import genba_on_terminal
from tests.support.connect_proxy import running_connect_proxy
from tests.support.network_rows import CLIENT_CERTIFICATE_ROW
from tests.support.network_world import NetworkWorld, network_world, pass_all
from tests.support.real_cli import RealCli
from tests.support.real_gateway import CEILING_S, RealGateway
from tests.support.tls import Authority, make_authority


@dataclass
class SecureDesk:
    """A running workspace `demo`, and what to show to its gateway."""

    gateway: RealGateway
    authority: Authority
    cli: RealCli
    client: dict[str, str]
    world: NetworkWorld

    async def ask_serial(self) -> int:
        """The number of the certificate that a new connection is shown."""
        context = ssl.create_default_context(cafile=self.authority.file)
        context.load_cert_chain(self.client["GENBA_CLIENT_CERT"], self.client["GENBA_CLIENT_KEY"])
        _, writer = await asyncio.open_connection("127.0.0.1", self.gateway.port, ssl=context)
        shown = writer.get_extra_info("peercert")
        writer.close()
        await writer.wait_closed()
        return int(shown["serialNumber"], 16)


@asynccontextmanager
async def secure_desk(folder: Path) -> AsyncGenerator[SecureDesk]:
    authority = await asyncio.to_thread(make_authority, folder / "tls")
    cert, key = await asyncio.to_thread(authority.issue, "gateway")
    client_cert, client_key = await asyncio.to_thread(authority.issue, "client")
    client = {
        "GENBA_CA_FILE": str(authority.file),
        "GENBA_CLIENT_CERT": str(client_cert),
        "GENBA_CLIENT_KEY": str(client_key),
    }
    tls = ssl.create_default_context(cafile=authority.file)
    tls.load_cert_chain(client_cert, client_key)
    flags = ("--tls-cert", str(cert), "--tls-key", str(key), "--tls-client-ca", str(authority.file))
    gateway = RealGateway(folder / "gateway", *flags, environment=client, tls=tls)
    async with network_world(folder, gateway, authority) as world:
        cli = RealCli(folder / "cli", gateway)
        cli.environment |= client
        (folder / "home").mkdir()
        yield SecureDesk(gateway, authority, cli, client, world)


async def test_only_who_shows_a_certificate_is_let_in_and_a_renewal_disturbs_nobody(short_dir: Path) -> None:
    async with secure_desk(short_dir) as here:
        await pass_all(here.world, CLIENT_CERTIFICATE_ROW)
        session = {**here.client, "GENBA_URL": here.gateway.url, "GENBA_SESSION_TOKEN": here.gateway.token}
        assert "demo" in (await here.cli.run("list")).out
        without = RealCli(short_dir / "cli", here.gateway)
        without.environment["GENBA_CA_FILE"] = str(here.authority.file)
        refused = await without.run("list", expect=1)
        assert "asks for a client certificate" in refused.err, refused.err
        assert "GENBA_CLIENT_CERT" in refused.err

        async with genba_on_terminal("terminal", "demo", folder=short_dir / "home", env=session) as screen:
            screen.type("kept=still-$((5+5)); echo shown-$((1+1))\r")
            await screen.see("shown-2")
            former = await here.ask_serial()
            await asyncio.to_thread(here.authority.issue, "gateway")
            assert here.gateway.process is not None
            here.gateway.process.send_signal(signal.SIGHUP)
            async with asyncio.timeout(CEILING_S):
                # Each question is a connection with two handshakes: no busy loop.
                while await here.ask_serial() == former:  # noqa: ASYNC110  # another process has the event
                    await asyncio.sleep(0.02)
            screen.type("echo $kept\r")
            await screen.see("still-10")

        # From behind a company's proxy everything goes through CONNECT, websockets too.
        async with running_connect_proxy() as proxy:
            behind = {**session, "HTTPS_PROXY": proxy.url, "NO_PROXY": ""}
            async with genba_on_terminal("terminal", "demo", folder=short_dir / "home", env=behind) as screen:
                screen.type("echo through-$((1+2))\r")
                await screen.see("through-3")
            assert set(proxy.targets) == {f"127.0.0.1:{here.gateway.port}"}
            assert len(proxy.targets) >= 2
            assert proxy.refused == 0
            asked = len(proxy.targets)
            here.cli.environment |= {"HTTPS_PROXY": proxy.url, "NO_PROXY": "127.0.0.1"}
            assert "demo" in (await here.cli.run("list")).out
            assert len(proxy.targets) == asked


@pytest.mark.parametrize(
    ("key", "said"),
    [("other.key", "does not belong to the certificate"), ("absent.key", "can't be read: No such file or directory")],
)
async def test_a_certificate_that_can_not_be_used_stops_the_start_with_a_sentence(
    short_dir: Path, key: str, said: str
) -> None:
    authority = await asyncio.to_thread(make_authority, short_dir / "tls")
    cert, _ = await asyncio.to_thread(authority.issue, "gateway")
    await asyncio.to_thread(authority.issue, "other")
    gateway = RealGateway(short_dir / "gateway", "--tls-cert", str(cert), "--tls-key", str(authority.folder / key))
    with pytest.raises(RuntimeError) as ended:
        async with gateway:
            pass
    assert gateway.process is not None
    assert gateway.process.returncode == 2
    await gateway.client.aclose()
    line = str(ended.value).splitlines()[-1]
    assert line.startswith("genba server: ")
    assert said in line
