"""Files of values for parameters and variables: a JSON object, or a YAML mapping.

A value is the text that was written, since that is what parameters and variables are: `yes` stays `yes` and `1.10`
stays `1.10`, where YAML's usual types would make True and 1.1 of them. Lists and objects become JSON; in YAML's the
scalars are texts too (Terraform converts them to the type it wants), in JSON's they stay what they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from genba_ide_bridge.errors import BridgeError

if TYPE_CHECKING:
    import yaml

MAX_DEPTH: Final = 50
"""Lists in lists are composed by recursion; values of people have a handful of levels."""

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


def read_values_file(path: Path) -> dict[str, str]:
    """Read a file of values.

    Raises:
        BridgeError: it can't be read, or holds something else; names the line where there is one.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BridgeError(f"Can't read the values in {path}: {error}.") from error
    if text.lstrip().startswith("{") and _is_json(text):
        return _read_json(path, text)
    return _YamlValues(path).read(text)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    except RecursionError:
        return True
    return True


def _read_json(path: Path, text: str) -> dict[str, str]:
    import msgspec

    def refuse_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
        if twice is not None:
            raise BridgeError(f'{path} gives "{twice}" twice.')
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=refuse_twice)
        written = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (RecursionError, msgspec.DecodeError) as error:
        raise BridgeError(f"{path} can't be read as JSON: {error}.") from error
    values: dict[str, str] = {}
    for name, raw in written.items():
        value = bytes(raw).decode()
        if value == "null":
            raise _no_value(str(path), name)
        values[name] = json.loads(value) if value.startswith('"') else value
    return values


def _no_value(place: str, name: str) -> BridgeError:
    return BridgeError(f'{place} gives "{name}" no value.', 'An empty text is written as "".')


class _YamlValues:
    """Reads one YAML file by its nodes, which know what was written and where."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, text: str) -> dict[str, str]:
        import yaml

        try:
            self._check_events(text)
            root = yaml.compose(text, Loader=yaml.BaseLoader)
        except yaml.YAMLError as error:
            raise self._not_yaml(error) from error
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            self._refuse("is not `name: value`", root)
        return {name: self._text_of(name, node) for name, node in self._pairs(root)}

    def _check_events(self, text: str) -> None:
        """Refuse what a few lines could make endless, and what would change the meaning of a scalar unseen."""
        import yaml

        depth = 0
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if isinstance(event, yaml.AliasEvent):
                self._refuse("refers to an anchor, which values can't", event)
            if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
                self._refuse(f"has the tag {event.tag}, which values can't", event)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if depth > MAX_DEPTH:
                self._refuse(f"nests lists and objects more than {MAX_DEPTH} deep", event)

    def _pairs(self, node: yaml.MappingNode) -> list[tuple[str, yaml.Node]]:
        import yaml

        pairs: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                self._refuse("has a name that is no text", key)
            if key.value in pairs:
                self._refuse(f'gives "{key.value}" again', key)
            pairs[key.value] = value
        return list(pairs.items())

    def _text_of(self, name: str, node: yaml.Node) -> str:
        import yaml

        if not isinstance(node, yaml.ScalarNode):
            return json.dumps(self._json_of(node), ensure_ascii=False)
        if _is_null(node):
            raise _no_value(f"{self._path}, line {_line_of(node)},", name)
        return str(node.value)

    def _json_of(self, node: yaml.Node) -> object:
        import yaml

        if isinstance(node, yaml.MappingNode):
            return {name: self._json_of(value) for name, value in self._pairs(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self._json_of(item) for item in node.value]
        return None if _is_null(node) else str(node.value)

    def _refuse(self, what: str, place: yaml.Node | yaml.Event) -> NoReturn:
        raise BridgeError(
            f"{self._path}, line {_line_of(place)}, {what}.",
            "A file of values is a JSON object, or lines `name: value` of YAML.",
        )

    def _not_yaml(self, error: yaml.YAMLError) -> BridgeError:
        import yaml

        mark = error.problem_mark if isinstance(error, yaml.MarkedYAMLError) else None
        said = (error.problem if isinstance(error, yaml.MarkedYAMLError) else None) or str(error)
        place = f", line {mark.line + 1}," if mark is not None else ""
        return BridgeError(
            f"{self._path}{place} is not YAML: {said}.",
            "A file of values is a JSON object, or lines `name: value` of YAML.",
        )


def _is_null(node: yaml.Node) -> bool:
    return not getattr(node, "style", None) and node.value in _NULLS


def _line_of(place: yaml.Node | yaml.Event) -> int:
    return place.start_mark.line + 1 if place.start_mark is not None else 1
