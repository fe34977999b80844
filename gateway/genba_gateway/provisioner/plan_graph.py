"""The dependency graph of `terraform graph -type=plan`, and the search for what is nearest in it.

A node `coder_agent.main (expand)` stands for all instances of that resource, so resources are looked up by
label: their address without any index. An edge A -> B says that A depends on B.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum, auto

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_EDGE = re.compile(rf"^\s*{_QUOTED}\s*->\s*{_QUOTED}")
_NODE = re.compile(rf"^\s*{_QUOTED}\s*\[")
_ESCAPED = re.compile(r"\\(.)")
_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')


_MANAGED = re.compile(
    r"(?:module\.[\w-]+\.)*(?!(?:data|var|local|output|module|each|provider)\.)[A-Za-z][\w-]*\.[\w-]+"
)


def is_managed_label(label: str) -> bool:
    """Say whether a node is a managed resource: neither data, value, module nor provider."""
    return _MANAGED.fullmatch(label) is not None


class Direction(Enum):
    """Which way a search walks from its node."""

    DEPENDENCIES = auto()
    DEPENDENTS = auto()


def label_of(address: str) -> str:
    """Return the address of a resource instance without indices: `module.a[0].x.y["k"]` is `module.a.x.y`."""
    return _INDEX.sub("", address)


class PlanGraph:
    """Edges between nodes, both ways."""

    def __init__(self, edges: Iterable[tuple[str, str]], nodes: Iterable[str] = ()) -> None:
        self._edges: dict[Direction, dict[str, list[str]]] = {direction: {} for direction in Direction}
        self._nodes = set(nodes)
        for source, target in edges:
            self._nodes.update((source, target))
            self._edges[Direction.DEPENDENCIES].setdefault(source, []).append(target)
            self._edges[Direction.DEPENDENTS].setdefault(target, []).append(source)

    @classmethod
    def parse(cls, dot: str) -> PlanGraph:
        """Read Terraform's dot output; lines that are neither nodes nor edges are passed over."""
        edges: list[tuple[str, str]] = []
        nodes: list[str] = []
        for line in dot.splitlines():
            if edge := _EDGE.match(line):
                edges.append((_node_name(edge[1]), _node_name(edge[2])))
            elif node := _NODE.match(line):
                nodes.append(_node_name(node[1]))
        return cls(edges, nodes)

    def find_nearest(self, label: str, direction: Direction, accept: Callable[[str], bool]) -> str | None:
        """Return the label of the nearest resource that `accept` takes; the smallest label of equally near ones.

        Every node counts as a step, also locals, outputs and modules.
        """
        start = f"{label} (expand)"
        if start not in self._nodes:
            start = label
        edges = self._edges[direction]
        seen = {start}
        level: list[str] = [start]
        while level:
            following = [node for source in level for node in edges.get(source, ())]
            level = []
            for node in following:
                if node not in seen:
                    seen.add(node)
                    level.append(node)
            found = sorted(name for node in level if accept(name := node.removesuffix(" (expand)")))
            if found:
                return found[0]
        return None


def _node_name(quoted: str) -> str:
    return _ESCAPED.sub(r"\1", quoted).removeprefix("[root] ")
