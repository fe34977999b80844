from __future__ import annotations

import json

import pytest

from genba_gateway.errors import ProvisionError
from genba_gateway.provisioner.terraform_json import is_empty_state, pick_newest_state, read_plan, read_state


def state(serial: int = 1, version: int = 4, resources: list[dict[str, object]] | None = None) -> bytes:
    return json.dumps({"version": version, "serial": serial, "resources": resources or []}).encode()


def resource(**changes: object) -> dict[str, object]:
    return {"mode": "managed", "type": "a", "name": "b", "instances": [{"attributes": {"id": "1"}}], **changes}


def test_plan_gives_data_read_before_and_everything_planned() -> None:
    plan: dict[str, object] = {
        "prior_state": {
            "values": {
                "root_module": {
                    "resources": [
                        {"address": "data.p.x", "mode": "data", "type": "p", "name": "x", "values": {"v": 1}},
                        {"address": "old.y", "mode": "managed", "type": "old", "name": "y", "values": {}},
                    ]
                }
            }
        },
        "planned_values": {
            "root_module": {
                "child_modules": [
                    {"resources": [{"address": "module.m[0].r.z", "mode": "managed", "type": "r", "name": "z"}]}
                ]
            }
        },
    }

    found = {found.address: found for found in read_plan(json.dumps(plan).encode())}

    assert set(found) == {"data.p.x", "module.m[0].r.z"}
    assert found["data.p.x"].attributes == {"v": 1}
    assert not found["data.p.x"].is_managed
    assert (found["module.m[0].r.z"].label, dict(found["module.m[0].r.z"].attributes)) == ("module.m.r.z", {})


def test_state_gives_one_resource_per_instance_without_deposed_ones() -> None:
    instances: list[dict[str, object]] = [
        {"attributes": {"n": 0}, "index_key": 0},
        {"index_key": "k"},
        {"deposed": "abc", "attributes": {}},
    ]

    found = read_state(state(resources=[resource(module="module.m[1]", instances=instances), resource(mode="data")]))

    assert [item.address for item in found] == ["module.m[1].a.b[0]", 'module.m[1].a.b["k"]', "data.a.b"]
    assert {item.label for item in found} == {"module.m.a.b", "data.a.b"}


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"version": "4"}'])
def test_unreadable_state_is_an_error(data: bytes) -> None:
    with pytest.raises(ProvisionError, match="could not be read"):
        read_state(data)


def test_state_of_another_format_is_refused() -> None:
    with pytest.raises(ProvisionError, match="has format 5, and this gateway reads 4"):
        read_state(state(version=5))


@pytest.mark.parametrize("data", [None, b"", b" \n", state(), state(resources=[resource(mode="data")])])
def test_state_without_managed_instances_is_empty(data: bytes | None) -> None:
    assert is_empty_state(data)


@pytest.mark.parametrize("data", [state(resources=[resource()]), state(version=5), b"garbage"])
def test_state_that_may_hold_something_is_not_empty(data: bytes) -> None:
    assert not is_empty_state(data)


def test_newest_readable_state_is_taken() -> None:
    assert pick_newest_state([state(3)[:20], state(5), state(4)]) == state(5)
    assert pick_newest_state([b"half"]) is None


def test_unreadable_plan_is_an_error() -> None:
    with pytest.raises(ProvisionError, match="plan could not be read"):
        read_plan(b"Error: no plan")
