"""Variables of templates and parameters of workspaces: what is asked for, kept and refused."""

from __future__ import annotations

import json
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.host_template import CODER
from tests.support.real_gateway import RealGateway

pytestmark = pytest.mark.asyncio(loop_scope="module")

VARIABLE = 'variable "region" {\n  type = string\n}\n'

PARAMETERS = """
data "coder_parameter" "cores" {
  name    = "cores"
  type    = "number"
  default = 2
  mutable = true
  validation {
    min       = 1
    max       = 8
    monotonic = "increasing"
  }
}

data "coder_parameter" "size" {
  name    = "size"
  mutable = true
  default = "small"
  option {
    name  = "Small"
    value = "small"
  }
  option {
    name  = "Large"
    value = "large"
  }
}

data "coder_parameter" "zone" {
  name    = "zone"
  mutable = false
}

resource "terraform_data" "seen" {
  input = "${data.coder_parameter.cores.value}/${data.coder_parameter.size.value}/${data.coder_parameter.zone.value}"
}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncGenerator[RealGateway]:
    """One for all: each has a template of its own."""
    with tempfile.TemporaryDirectory(prefix="g-", dir="/tmp") as folder:
        async with RealGateway(Path(folder) / "gateway") as running:
            await running.sign_in()
            yield running


async def test_a_variable_without_a_value_is_asked_for(gateway: RealGateway) -> None:
    files = {"main.tf": CODER + VARIABLE}
    without = await gateway.import_version(files)
    assert without["job"]["status"] == "failed"
    assert without["job"]["error_code"] == "REQUIRED_TEMPLATE_VARIABLES"
    assert "region" in without["job"]["error"]
    given = await gateway.import_version(files, region="north")
    assert given["job"]["status"] == "succeeded", given["job"]
    variables = await gateway.fetch("GET", f"/api/v2/templateversions/{given['id']}/variables")
    assert [(each["name"], each["value"]) for each in variables] == [("region", "north")]


async def seen_by_terraform(gateway: RealGateway, build: dict[str, Any]) -> str:
    """The values that the template got."""
    state = json.loads((await gateway.request("GET", f"/api/v2/workspacebuilds/{build['id']}/state")).content)
    seen = next(each for each in state["resources"] if each["name"] == "seen")
    return str(seen["instances"][0]["attributes"]["input"]["value"])


async def test_parameters_are_kept_over_builds_and_wrong_ones_refused_by_name(gateway: RealGateway) -> None:
    template = await gateway.push_template("values", {"main.tf": CODER + PARAMETERS})

    async def refused(path: str, body: dict[str, Any], **values: str) -> str:
        given = [{"name": name, "value": value} for name, value in values.items()]
        answer = await gateway.send("POST", path, {**body, "rich_parameter_values": given})
        assert answer.status_code == 400, answer.text
        field: str = answer.json()["validations"][0]["field"]
        assert field in answer.json()["message"]
        return field

    create = ("/api/v2/users/me/workspaces", {"name": "demo", "template_id": template["id"]})
    assert await refused(*create) == "zone"
    assert await refused(*create, zone="a", cores="9") == "cores"
    assert await refused(*create, zone="a", cores="many") == "cores"
    assert await refused(*create, zone="a", size="huge") == "size"
    assert await refused(*create, zone="a", colour="red") == "colour"

    workspace = await gateway.create_workspace("demo", template["id"], zone="a", cores="4", size="large")
    build = await gateway.wait_for_build(workspace["latest_build"]["id"])
    assert build["job"]["status"] == "succeeded", build["job"]
    assert await seen_by_terraform(gateway, build) == "4/large/a"

    again = (f"/api/v2/workspaces/{workspace['id']}/builds", {"transition": "start"})
    assert await refused(*again, zone="b") == "zone"
    assert await refused(*again, cores="3") == "cores"
    assert (await gateway.build(workspace["id"], "stop"))["job"]["status"] == "succeeded"
    kept = await gateway.build(workspace["id"], "start")
    assert await seen_by_terraform(gateway, kept) == "4/large/a"
    parameters = await gateway.fetch("GET", f"/api/v2/workspacebuilds/{kept['id']}/parameters")
    assert {each["name"]: each["value"] for each in parameters} == {"cores": "4", "size": "large", "zone": "a"}
    changed = await gateway.build(workspace["id"], "start", rich_parameter_values=[{"name": "size", "value": "small"}])
    assert await seen_by_terraform(gateway, changed) == "4/small/a"


TEXT = 'data "coder_parameter" "n" {\n  name    = "n"\n  mutable = true\n}\n'

NUMBER = """
data "coder_parameter" "n" {
  name    = "n"
  type    = "number"
  default = 2
  mutable = true
  validation {
    max       = 9
    monotonic = "increasing"
  }
}
"""

SEEN = 'resource "terraform_data" "seen" {\n  input = "${data.coder_parameter.n.value}"\n}\n'


async def test_a_version_that_refuses_the_values_it_finds_still_ends_the_workspace(gateway: RealGateway) -> None:
    template = await gateway.push_template("kinds", {"main.tf": CODER + TEXT + SEEN})
    counts = 'resource "terraform_data" "many" {\n  input = tonumber(data.coder_parameter.n.value) + 1\n}\n'
    version = await gateway.import_version({"main.tf": CODER + NUMBER + SEEN + counts}, template["id"])
    assert version["job"]["status"] == "succeeded", version["job"]
    on_second = {"template_version_id": version["id"]}

    async def end(transition: str, **more: object) -> None:
        build = await gateway.build(workspace["id"], transition, **more)
        assert build["job"]["status"] == "succeeded", build["job"]

    workspace = await gateway.create_workspace("first", template["id"], n="abc")
    await gateway.wait_for_build(workspace["latest_build"]["id"])
    await end("stop", **on_second)
    seven = [{"name": "n", "value": "7"}]
    await end("start", **on_second, rich_parameter_values=seven)
    await end("delete", rich_parameter_values=[{"name": "n", "value": "6"}])

    workspace = await gateway.create_workspace("again", template["id"], n="abc")
    await gateway.wait_for_build(workspace["latest_build"]["id"])
    await end("start", **on_second, rich_parameter_values=seven)
    await end("start", template_version_id=template["active_version_id"], rich_parameter_values=[])
    await end("delete", **on_second, rich_parameter_values=seven)
