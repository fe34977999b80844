"""The relay map that Coder's own clients expect (contract 3.3). Genba's relay speaks another protocol."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

EMBEDDED_REGION_ID: Final = 999
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def make_derp_map(access_url: str) -> dict[str, object]:
    """The map with the one region that stands for the gateway itself.

    Args:
        access_url: what clients call; its host and port are those of the region's node.
    """
    parts = urlsplit(access_url)
    node: dict[str, object] = {
        "Name": f"{EMBEDDED_REGION_ID}b",
        "RegionID": EMBEDDED_REGION_ID,
        "HostName": parts.hostname or "",
        "STUNPort": -1,
        "DERPPort": parts.port or _DEFAULT_PORTS[parts.scheme],
    }
    if parts.scheme == "http":
        node["ForceHTTP"] = True
    region: dict[str, object] = {
        "EmbeddedRelay": True,
        "RegionID": EMBEDDED_REGION_ID,
        "RegionCode": "coder",
        "RegionName": "Coder Embedded Relay",
        "Nodes": [node],
    }
    return {"Regions": {str(EMBEDDED_REGION_ID): region}}
