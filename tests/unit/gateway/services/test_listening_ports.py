from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pytest

from genba_gateway.services.listening_ports import IGNORED_PORTS, leave_out_known
from genba_wire.api.agents import ListeningPort

if TYPE_CHECKING:
    from genba_gateway.domain.agents import App


@dataclass(frozen=True)
class LinkedApp:
    url: str


def left(ports: list[int], *urls: str) -> list[int]:
    apps = [cast("App", LinkedApp(url)) for url in urls]
    return [
        each.port
        for each in leave_out_known([ListeningPort(process_name="", network="tcp", port=port) for port in ports], apps)
    ]


def test_ports_of_apps_are_left_out() -> None:
    ports = [3000, 8080, 13337]
    assert left(ports, "http://localhost:13337/?folder=x", "https://127.0.0.1:8080") == [3000]
    assert left(ports, "http://db.example.com:3000", "http://localhost", "", "http://[", "http://localhost:x") == ports


@pytest.mark.parametrize("port", [0, 8, 22, 5432, 27019])
def test_well_known_services_are_left_out(port: int) -> None:
    assert port in IGNORED_PORTS
    assert left([port, 9]) == [9]
