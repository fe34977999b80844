"""How a provider declares its resources: attributes, nested blocks, and the contracts that they fulfil.

The declaration carries what Terraform is told (types, required, computed, sensitive) and what only we act on
(defaults, replacement, checks). Nested blocks are lists or sets; the objects in them have no `id` of their own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Protocol

from genba_gateway.provider import tfplugin6_pb2 as pb
from genba_gateway.provider.context import Session
from genba_gateway.provider.problems import Problem
from genba_gateway.provider.values import (
    Fields,
    ListOf,
    Object,
    ObjectOf,
    Primitive,
    SetOf,
    Type,
    Value,
    describe_type,
)

# Says what is wrong with a known, non-null value, or None.
Check = Callable[[Value], str | None]


class Mode(Enum):
    """Who sets an attribute."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    COMPUTED = "computed"
    OPTIONAL_COMPUTED = "optional+computed"


class Nesting(Enum):
    """How repeated blocks are kept."""

    LIST = "list"
    SET = "set"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. All are replaced with their resource unless `updates_in_place`."""

    name: str
    type: Type = Primitive.STRING
    mode: Mode = Mode.OPTIONAL
    default: Value = None
    description: str = ""
    is_sensitive: bool = False
    updates_in_place: bool = False
    checks: tuple[Check, ...] = ()
    conflicts_with: tuple[str, ...] = ()

    @property
    def is_computed(self) -> bool:
        """Say whether the provider fills it when the configuration doesn't."""
        return self.mode in (Mode.COMPUTED, Mode.OPTIONAL_COMPUTED)

    def to_proto(self) -> pb.Schema.Attribute:
        """Describe it to Terraform."""
        return pb.Schema.Attribute(
            name=self.name,
            type=json.dumps(describe_type(self.type)).encode(),
            description=self.description,
            required=self.mode is Mode.REQUIRED,
            optional=self.mode in (Mode.OPTIONAL, Mode.OPTIONAL_COMPUTED),
            computed=self.is_computed,
            sensitive=self.is_sensitive,
        )


@dataclass(frozen=True, slots=True)
class NestedBlock:
    """A block inside a block. `is_computed`: the provider fills it when the configuration has none."""

    name: str
    block: Block
    nesting: Nesting = Nesting.LIST
    max_items: int = 0
    is_computed: bool = False
    conflicts_with: tuple[str, ...] = ()

    @property
    def type(self) -> Type:
        """The type of its value."""
        return (ListOf if self.nesting is Nesting.LIST else SetOf)(self.block.type)

    def to_proto(self) -> pb.Schema.NestedBlock:
        """Describe it to Terraform."""
        nesting = pb.Schema.NestedBlock.LIST if self.nesting is Nesting.LIST else pb.Schema.NestedBlock.SET
        return pb.Schema.NestedBlock(
            type_name=self.name, block=self.block.to_proto(), nesting=nesting, max_items=self.max_items
        )


@dataclass(frozen=True)
class Block:
    """Attributes and nested blocks; the body of a resource, a data source, the provider or a nested block."""

    attributes: tuple[Attribute, ...] = ()
    blocks: tuple[NestedBlock, ...] = ()
    description: str = ""

    @cached_property
    def type(self) -> ObjectOf:
        """The type of its value."""
        parts: tuple[Attribute | NestedBlock, ...] = (*self.attributes, *self.blocks)
        return ObjectOf({each.name: each.type for each in parts})

    def to_proto(self) -> pb.Schema.Block:
        """Describe it to Terraform."""
        return pb.Schema.Block(
            attributes=[each.to_proto() for each in sorted(self.attributes, key=lambda each: each.name)],
            block_types=[each.to_proto() for each in self.blocks],
            description=self.description,
        )


@dataclass(frozen=True, slots=True)
class Schema:
    """A block and the version of what is stored of it."""

    block: Block
    version: int = 0

    def to_proto(self) -> pb.Schema:
        """Describe it to Terraform."""
        return pb.Schema(version=self.version, block=self.block.to_proto())


def computed_id() -> Attribute:
    """Give the `id` that every resource has whether its author names it or not."""
    return Attribute("id", mode=Mode.OPTIONAL_COMPUTED)


class Resource(Protocol):
    """A managed resource. What it returns replaces the values of the same names; it may raise `Refused`."""

    @property
    def name(self) -> str:
        """The type's name, e.g. `coder_agent`."""
        ...

    @property
    def schema(self) -> Schema:
        """What it is made of."""
        ...

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Check what attributes alone don't tell; unknown values are not to be judged."""
        ...

    async def create(self, session: Session, planned: Fields) -> Object:
        """Make it; return the values that only now are known."""
        ...

    async def read(self, session: Session, state: Fields) -> Object:
        """Refresh it; return the values that changed."""
        ...

    async def update(self, session: Session, prior: Fields, planned: Fields) -> Object:
        """Change what `updates_in_place`; return the values that only now are known."""
        ...

    async def delete(self, session: Session, state: Fields) -> None:
        """Remove it; no error when it isn't there."""
        ...


class DataSource(Protocol):
    """Something that is only read."""

    @property
    def name(self) -> str:
        """The type's name, e.g. `coder_parameter`."""
        ...

    @property
    def schema(self) -> Schema:
        """What it is made of."""
        ...

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Check what attributes alone don't tell; unknown values are not to be judged."""
        ...

    async def read(self, session: Session, config: Fields) -> Object:
        """Read it; `config` is known and has its defaults. Return the computed values."""
        ...


class DeclaredResource:
    """Base of resources that live in Terraform's state alone: nothing to read, update or delete."""

    name = ""
    schema = Schema(Block())

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Have nothing to object to."""
        del config
        return ()

    async def read(self, session: Session, state: Fields) -> Object:
        """Change nothing."""
        del session, state
        return {}

    async def update(self, session: Session, prior: Fields, planned: Fields) -> Object:
        """Have nothing to do outside the state."""
        del session, prior, planned
        return {}

    async def delete(self, session: Session, state: Fields) -> None:
        """Have nothing to remove."""
        del session, state


class ReadOnly:
    """Base of data sources whose attributes need no check among each other."""

    name = ""
    schema = Schema(Block())

    def find_problems(self, config: Fields) -> Sequence[Problem]:
        """Have nothing to object to."""
        del config
        return ()


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as Terraform sees it."""

    name: str
    config: Schema
    resources: tuple[Resource, ...]
    data_sources: tuple[DataSource, ...] = ()
