from __future__ import annotations

import pytest

from genba_gateway.provisioner.plan_graph import Direction, PlanGraph, label_of

DOT = r"""digraph {
	compound = "true"
	subgraph "root" {
		"[root] coder_agent.main (expand)" [label = "coder_agent.main", shape = "box"]
		"[root] provider[\"registry.terraform.io/coder/coder\"]" [label = "provider", shape = "diamond"]
		"[root] coder_agent.main (expand)" -> "[root] provider[\"registry.terraform.io/coder/coder\"]"
		"[root] local.script (expand)" -> "[root] coder_agent.main (expand)"
		"[root] far.b (expand)" -> "[root] local.script (expand)"
		"[root] near.z (expand)" -> "[root] coder_agent.main (expand)"
		"[root] near.y (expand)" -> "[root] coder_agent.main (expand)"
		"[root] far.b (expand)" -> "[root] near.z (expand)"
	}
}
"""


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("a.b", "a.b"),
        ("a.b[0]", "a.b"),
        ('module.m["x]y"].a.b["k\\"]"]', "module.m.a.b"),
        ("module.m[1].module.n[2].data.a.b", "module.m.module.n.data.a.b"),
    ],
)
def test_label_has_no_index(address: str, label: str) -> None:
    assert label_of(address) == label


def test_nearest_dependent_is_the_smallest_label_of_equally_near_ones() -> None:
    found = PlanGraph.parse(DOT).find_nearest(
        "coder_agent.main", Direction.DEPENDENTS, lambda label: label.startswith(("near", "far"))
    )

    assert found == "near.y"


def test_every_node_counts_as_a_step() -> None:
    graph = PlanGraph.parse(DOT)

    assert graph.find_nearest("coder_agent.main", Direction.DEPENDENTS, lambda label: label == "far.b") == "far.b"
    assert graph.find_nearest("far.b", Direction.DEPENDENCIES, lambda label: "coder" in label) == "coder_agent.main"


def test_nothing_is_found_where_nothing_leads() -> None:
    graph = PlanGraph.parse(DOT)

    assert graph.find_nearest("near.y", Direction.DEPENDENTS, lambda _: True) is None
    assert graph.find_nearest("absent.x", Direction.DEPENDENTS, lambda _: True) is None


def test_cycle_ends_the_search() -> None:
    graph = PlanGraph([("a", "b"), ("b", "a")])

    assert graph.find_nearest("a", Direction.DEPENDENCIES, lambda label: label == "c") is None
