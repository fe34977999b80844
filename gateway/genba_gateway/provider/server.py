"""Serves one provider to Terraform: the protocol's calls, translated to plans and resources.

One `Servicer` serves one build. It keeps nothing between calls but the build's `Session`; Terraform opens many
connections per command and repeats itself. Calls that the protocol has and this program doesn't are answered with
UNIMPLEMENTED by grpc, which newer versions of Terraform count on.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.checks import find_problems
from genba_gateway.provider.context import Session
from genba_gateway.provider.plan import (
    default_data_source,
    plan_creation,
    plan_update,
    settle_data_source,
    settle_resource,
)
from genba_gateway.provider.problems import AttributePath, Problem, Refused
from genba_gateway.provider.schema import Block, DataSource, Provider, Resource
from genba_gateway.provider.values import (
    Fields,
    MalformedValue,
    Object,
    Value,
    decode_json,
    decode_msgpack,
    encode_msgpack,
)

log = logging.getLogger(__name__)


class Servicer:
    """The calls; each takes and gives messages of the protocol."""

    def __init__(self, provider: Provider, schemas: bytes, session: Session) -> None:
        """Serve `provider` with the inputs of `session`; `schemas` is what `encode_schemas` gave for it."""
        self._provider = provider
        self._schemas = schemas
        self._session = session
        self._resources: Mapping[str, Resource] = {each.name: each for each in provider.resources}
        self._data_sources: Mapping[str, DataSource] = {each.name: each for each in provider.data_sources}

    async def get_schemas(self, request: pb.GetProviderSchema.Request) -> bytes:
        """Give the schemas, already encoded: Terraform asks on every connection."""
        del request
        return self._schemas

    async def validate_provider(self, request: pb.ValidateProviderConfig.Request) -> pb.ValidateProviderConfig.Response:
        """Check the provider block."""
        block = self._provider.config.block
        problems = find_problems(block, _decode(request.config, block))
        return pb.ValidateProviderConfig.Response(diagnostics=write_diagnostics(problems))

    async def configure(self, request: pb.ConfigureProvider.Request) -> pb.ConfigureProvider.Response:
        """Take the provider block's values; begins each walk of Terraform.

        Aliased providers share the session, so the last one's URL holds for all.
        """
        config = Fields(_decode(request.config, self._provider.config.block))
        self._session.cancel.take_back()
        if self._provider.config.block.attributes:
            self._session.configured_url = config.text("url")
        return pb.ConfigureProvider.Response()

    async def validate_resource(self, request: pb.ValidateResourceConfig.Request) -> pb.ValidateResourceConfig.Response:
        """Check a resource's configuration."""
        problems = self._validate(self._resources[request.type_name], request.config)
        return pb.ValidateResourceConfig.Response(diagnostics=write_diagnostics(problems))

    async def validate_data_source(
        self, request: pb.ValidateDataResourceConfig.Request
    ) -> pb.ValidateDataResourceConfig.Response:
        """Check a data source's configuration."""
        problems = self._validate(self._data_sources[request.type_name], request.config)
        return pb.ValidateDataResourceConfig.Response(diagnostics=write_diagnostics(problems))

    def _validate(self, kind: Resource | DataSource, config: pb.DynamicValue) -> list[Problem]:
        values = _decode(config, kind.schema.block)
        return [*find_problems(kind.schema.block, values), *kind.find_problems(Fields(values))]

    async def upgrade(self, request: pb.UpgradeResourceState.Request) -> pb.UpgradeResourceState.Response:
        """Bring a stored state to today's schema; Terraform asks for every state it reads."""
        block = self._resources[request.type_name].schema.block
        stored = decode_json(request.raw_state.json, block.type)
        state: Object = dict(stored) if isinstance(stored, dict) else {}
        state.update({each.name: [] for each in block.blocks if state.get(each.name) is None})
        return pb.UpgradeResourceState.Response(upgraded_state=_encode(state, block))

    async def read_resource(self, request: pb.ReadResource.Request) -> pb.ReadResource.Response:
        """Refresh a resource."""
        resource = self._resources[request.type_name]
        block = resource.schema.block
        state = _decode(request.current_state, block)
        try:
            state = {**state, **await resource.read(self._session, Fields(state))}
        except Refused as refused:
            return pb.ReadResource.Response(
                new_state=request.current_state, diagnostics=write_diagnostics(refused.problems)
            )
        return pb.ReadResource.Response(new_state=_encode(state, block), private=request.private)

    async def plan(self, request: pb.PlanResourceChange.Request) -> pb.PlanResourceChange.Response:
        """Plan a creation, a change or a removal."""
        block = self._resources[request.type_name].schema.block
        response = pb.PlanResourceChange.Response(planned_private=request.prior_private, legacy_type_system=True)
        if _decode_optional(request.proposed_new_state, block) is None:
            response.planned_state.CopyFrom(request.proposed_new_state)
            return response
        config = _decode(request.config, block)
        prior = _decode_optional(request.prior_state, block)
        if prior is None:
            response.planned_state.CopyFrom(_encode(plan_creation(block, config), block))
            return response
        change = plan_update(block, prior, config)
        response.planned_state.CopyFrom(_encode(change.planned, block))
        response.requires_replace.extend(_write_path(each) for each in change.replaces)
        return response

    async def apply(self, request: pb.ApplyResourceChange.Request) -> pb.ApplyResourceChange.Response:
        """Create, change or remove a resource; after a refusal the state stays what it was."""
        resource = self._resources[request.type_name]
        block = resource.schema.block
        prior = _decode_optional(request.prior_state, block)
        planned = _decode_optional(request.planned_state, block)
        response = pb.ApplyResourceChange.Response(private=request.planned_private, legacy_type_system=True)
        try:
            if planned is None:
                await resource.delete(self._session, Fields(prior or {}))
                response.new_state.CopyFrom(request.planned_state)
                return response
            if prior is None:
                made = await resource.create(self._session, Fields(planned))
            else:
                made = await resource.update(self._session, Fields(prior), Fields(planned))
            response.new_state.CopyFrom(_encode(settle_resource(block, planned, made), block))
        except Refused as refused:
            response.new_state.CopyFrom(request.prior_state)
            response.diagnostics.extend(write_diagnostics(refused.problems))
        return response

    async def import_resource(self, request: pb.ImportResourceState.Request) -> pb.ImportResourceState.Response:
        """Refuse: what this provider makes exists in the state only."""
        detail = f"Remove the import of {request.type_name}; a new one is made on the next apply."
        problem = Problem(f"{request.type_name} can't be imported", detail)
        return pb.ImportResourceState.Response(diagnostics=write_diagnostics([problem]))

    async def read_data_source(self, request: pb.ReadDataSource.Request) -> pb.ReadDataSource.Response:
        """Read a data source."""
        source = self._data_sources[request.type_name]
        block = source.schema.block
        config = default_data_source(block, _decode(request.config, block))
        try:
            read = await source.read(self._session, Fields(config))
        except Refused as refused:
            return pb.ReadDataSource.Response(diagnostics=write_diagnostics(refused.problems))
        return pb.ReadDataSource.Response(state=_encode(settle_data_source(block, config, read), block))

    async def stop(self, request: pb.StopProvider.Request) -> pb.StopProvider.Response:
        """Pass on that the user cancelled; calls under way still end by themselves."""
        del request
        log.info("provider %s of job %s is told to stop", self._provider.name, self._session.context.job_id)
        self._session.cancel.give()
        return pb.StopProvider.Response()


def encode_schemas(provider: Provider) -> bytes:
    """Encode what GetProviderSchema answers."""
    return pb.GetProviderSchema.Response(
        provider=provider.config.to_proto(),
        resource_schemas={each.name: each.schema.to_proto() for each in provider.resources},
        data_source_schemas={each.name: each.schema.to_proto() for each in provider.data_sources},
    ).SerializeToString()


def write_diagnostics(problems: Sequence[Problem]) -> list[pb.Diagnostic]:
    """Put problems into the protocol's form."""
    severities = {False: pb.Diagnostic.ERROR, True: pb.Diagnostic.WARNING}
    return [
        pb.Diagnostic(
            severity=severities[each.is_warning],
            summary=each.summary,
            detail=each.detail,
            attribute=_write_path(each.path) if each.path else None,
        )
        for each in problems
    ]


def _write_path(path: AttributePath) -> pb.AttributePath:
    step = pb.AttributePath.Step
    return pb.AttributePath(
        steps=[step(element_key_int=each) if isinstance(each, int) else step(attribute_name=each) for each in path]
    )


def _decode_optional(value: pb.DynamicValue, block: Block) -> Object | None:
    """Read a block; None when it is null, which stands for a resource that isn't there."""
    decoded: Value
    if value.msgpack:
        decoded = decode_msgpack(value.msgpack, block.type)
    elif value.json:
        decoded = decode_json(value.json, block.type)
    else:
        decoded = None
    if decoded is None or isinstance(decoded, dict):
        return decoded
    raise MalformedValue("a block as a whole can't be unknown")


def _decode(value: pb.DynamicValue, block: Block) -> Object:
    decoded = _decode_optional(value, block)
    if decoded is None:
        raise MalformedValue("a block is null where it has to be there")
    return decoded


def _encode(values: Object, block: Block) -> pb.DynamicValue:
    return pb.DynamicValue(msgpack=encode_msgpack(values, block.type))
