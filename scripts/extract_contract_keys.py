"""Extracts from a swagger file of the contract which keys the answers of which routes have.

    scripts/extract_contract_keys.py SWAGGER.json > tests/contract/ERA.json

Only names are taken: routes with the type of their success, types with their keys and the types of those. Parameters
in paths are written {}, lists of a type as [type].
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def extract(swagger: Json) -> Json:
    """The routes with JSON answers, and the types that they lead to."""
    routes: dict[str, str] = {}
    for path, methods in swagger["paths"].items():
        for method, operation in methods.items():
            named = _name_of_success(operation)
            if named:
                routes[f"{method.upper()} {_blank_parameters(path)}"] = named
    types = {name: _read_type(definition) for name, definition in swagger["definitions"].items()}
    wanted, left = set[str](), [named.strip("[]") for named in routes.values()]
    while left:
        name = left.pop()
        if name in types and name not in wanted:
            wanted.add(name)
            left.extend(named.strip("[]{}") for named in types[name].values())
    return {
        "routes": dict(sorted(routes.items())),
        "types": {name: types[name] for name in sorted(wanted) if types[name]},
    }


def _blank_parameters(path: str) -> str:
    return "/".join("{}" if part.startswith("{") else part for part in path.rstrip("/").split("/"))


def _name_of_success(operation: Json) -> str:
    for status, response in sorted(operation.get("responses", {}).items()):
        if status.startswith("2") and "schema" in response:
            return _name_of(response["schema"])
    return ""


def _read_type(definition: Json) -> dict[str, str]:
    return {key: _name_of(schema) for key, schema in sorted(definition.get("properties", {}).items())}


def _name_of(schema: Json) -> str:
    """A type's name, [name] for lists and {name} for objects of it; empty for what has no keys of its own."""
    for each in [schema, *schema.get("allOf", [])]:
        if "$ref" in each:
            return str(each["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array" and (name := _name_of(schema["items"])):
        return f"[{name}]"
    if isinstance(schema.get("additionalProperties"), dict) and (name := _name_of(schema["additionalProperties"])):
        return f"{{{name}}}"
    return ""


if __name__ == "__main__":
    json.dump(extract(json.loads(Path(sys.argv[1]).read_text("utf-8"))), sys.stdout, indent=0, sort_keys=True)
    sys.stdout.write("\n")
