"""What the gateway serves."""

from __future__ import annotations

import subprocess
import sys

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.catalogue import list_providers


def test_providers_have_their_addresses_and_schemas() -> None:
    coder, genba = list_providers(None)

    assert "registry.terraform.io/hashicorp/coder" in coder.addresses
    assert "registry.opentofu.org/genba/genba" in genba.addresses
    schemas = pb.GetProviderSchema.Response.FromString(coder.schemas)
    assert set(schemas.resource_schemas) == {
        "coder_agent",
        "coder_app",
        "coder_env",
        "coder_metadata",
        "coder_script",
    }
    assert set(schemas.data_source_schemas) == {
        "coder_parameter",
        "coder_provisioner",
        "coder_workspace",
        "coder_workspace_owner",
        "coder_workspace_preset",
    }
    assert [each.name for each in schemas.provider.block.attributes] == ["url"]
    host = pb.GetProviderSchema.Response.FromString(genba.schemas).resource_schemas["genba_host"]
    assert [each.name for each in host.block.attributes if each.sensitive] == ["token"]


def test_every_part_of_a_schema_is_described() -> None:
    for served in list_providers(None):
        schemas = pb.GetProviderSchema.Response.FromString(served.schemas)
        for each in (*schemas.resource_schemas.values(), *schemas.data_source_schemas.values()):
            assert each.block.description
            named = [attribute for attribute in each.block.attributes if attribute.name != "id"]
            assert all(attribute.description for attribute in named)


def test_importing_the_host_does_not_import_grpc() -> None:
    program = (
        "import sys, genba_gateway.provider.host; "
        "print([name for name in ('grpc', 'google.protobuf', 'msgpack') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
