from __future__ import annotations

import pytest

from genba_gateway.domain.listeners import came_to


@pytest.mark.parametrize(
    ("server", "address", "came"),
    [
        (("172.17.0.1", 3001), ("172.17.0.1", 3001), True),
        (("172.17.0.1", 3001), ("0.0.0.0", 3001), True),
        (("::1", 3001), ("::", 3001), True),
        (("127.0.0.1", 3001), ("172.17.0.1", 3001), False),
        (("172.17.0.1", 3000), ("172.17.0.1", 3001), False),
        (("172.17.0.1", 3001), None, False),
        (None, ("172.17.0.1", 3001), False),
    ],
)
def test_a_connection_came_to_the_listener_that_has_its_address(
    server: tuple[str, int] | None, address: tuple[str, int] | None, came: bool
) -> None:
    assert came_to(server, address) is came
