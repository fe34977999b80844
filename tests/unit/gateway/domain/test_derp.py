from __future__ import annotations

from typing import Any, cast

import pytest

from genba_gateway.domain.derp import make_derp_map


def node_of(access_url: str) -> dict[str, Any]:
    regions = cast("dict[str, Any]", make_derp_map(access_url)["Regions"])
    assert list(regions) == ["999"]
    return cast("dict[str, Any]", regions["999"]["Nodes"][0])


@pytest.mark.parametrize(
    ("access_url", "host", "port"),
    [
        ("http://127.0.0.1:3000", "127.0.0.1", 3000),
        ("http://dev.example", "dev.example", 80),
        ("https://dev.example/", "dev.example", 443),
        ("https://[::1]:8443", "::1", 8443),
    ],
)
def test_the_one_node_is_the_access_url(access_url: str, host: str, port: int) -> None:
    node = node_of(access_url)

    assert (node["HostName"], node["DERPPort"]) == (host, port)
    assert (node["Name"], node["RegionID"], node["STUNPort"]) == ("999b", 999, -1)


def test_only_plain_http_is_forced() -> None:
    assert node_of("http://a.example")["ForceHTTP"] is True
    assert "ForceHTTP" not in node_of("https://a.example")
