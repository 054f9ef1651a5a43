"""A JSON Schema, whoever wrote it, to the Connect schema that stands for it."""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from headrace.connect.api import ConnectSchema, DataError, Field, SchemaType
from headrace.connect.api.schema import schema as make_schema
from headrace.connect.converters.json.form import UNION, Form, MisfitError
from headrace.connect.converters.json.row_decoder import decode
from headrace.connect.converters.json_schema.naming import CONNECT_TYPES, ENUM, JsonSchemaOptions

_NARROW: Final = {connect: kind for kind, (_, connect) in CONNECT_TYPES.items() if connect}
_PLAIN: Final = {
    "boolean": SchemaType.BOOLEAN,
    "integer": SchemaType.INT64,
    "number": SchemaType.FLOAT64,
    "string": SchemaType.STRING,
}
_TAKES: Final = {"integer": ("int",), "number": ("int", "float", "bytes"), "string": ("bytes",)}
_LAST: Final = 1 << 31


def to_connect(text: str, references: Mapping[str, str], form: Form, options: JsonSchemaOptions) -> ConnectSchema:
    """The Connect schema of a JSON Schema. Raises DataError for what Connect has no type for."""
    return _Reader(json.loads(text), references, form, options).whole()


class _Reader:
    """One schema; `root` is where `#/...` leads, `references` what other names lead to."""

    def __init__(self, root: Any, references: Mapping[str, str], form: Form, options: JsonSchemaOptions) -> None:
        self._root = root
        self._references = references
        self._form = form
        self._options = options
        self._underway: list[str] = []

    def whole(self) -> ConnectSchema:
        return self.of(self._root)

    def of(self, node: Any, *, optional: bool = False) -> ConnectSchema:
        if not isinstance(node, dict):
            raise DataError(f"the JSON schema {node!r} takes any value: Connect has no type for it")
        if isinstance(node.get("$ref"), str):
            return self._referred(node["$ref"], optional=optional)
        branches = node.get("oneOf") or node.get("anyOf")
        if isinstance(node.get("type"), list):
            branches = [{**node, "type": kind} for kind in node["type"]]
        if isinstance(branches, list):
            return self._union(node, branches, optional=optional)
        return self._with_default(self._plain(node, optional=optional), node)

    def _referred(self, name: str, *, optional: bool) -> ConnectSchema:
        if name in self._underway:
            raise DataError(f"the JSON schema at {name} holds itself: recursive schemas are not offered")
        self._underway.append(name)
        try:
            place, _, path = name.partition("#")
            if place and place not in self._references:
                raise DataError(f"the JSON schema refers to {name}, which is none of its references")
            root = json.loads(self._references[place]) if place else self._root
            reader = _Reader(root, self._references, self._form, self._options)
            reader._underway = self._underway
            return reader.of(_at(root, path, name), optional=optional)
        finally:
            self._underway.pop()

    def _union(self, node: dict[str, Any], branches: list[Any], *, optional: bool) -> ConnectSchema:
        others = [branch for branch in branches if not (isinstance(branch, dict) and branch.get("type") == "null")]
        optional = optional or len(others) < len(branches)
        if not others:
            raise DataError("a JSON schema of null alone holds nothing that Connect has a type for")
        if len(others) == 1:
            return self._with_default(self.of(others[0], optional=optional), node)
        fields = [Field(f"{UNION}.field.{at}", self.of(branch, optional=True)) for at, branch in enumerate(others)]
        return make_schema(SchemaType.STRUCT, optional=optional, name=UNION, fields=fields)

    def _plain(self, node: dict[str, Any], *, optional: bool) -> ConnectSchema:
        kind, parts = self._typed(node)
        given = node.get("connect.parameters")
        parameters = {str(key): str(value) for key, value in given.items()} if isinstance(given, dict) else {}
        version = node.get("connect.version")
        return make_schema(
            kind,
            optional=optional,
            name=_text(node, "title"),
            version=version if type(version) is int else None,
            doc=_text(node, "description"),
            parameters={**parts.pop("parameters", {}), **parameters},
            **parts,
        )

    def _typed(self, node: dict[str, Any]) -> tuple[SchemaType, dict[str, Any]]:
        kind, connect = node.get("type"), node.get("connect.type")
        symbols = node.get("enum")
        if isinstance(symbols, list) and all(isinstance(each, str) for each in symbols):
            return SchemaType.STRING, {"parameters": {ENUM: "", **{f"{ENUM}.{each}": each for each in symbols}}}
        match kind:
            case "object" if connect == "map":
                value = self.of(node.get("additionalProperties", True))
                return SchemaType.MAP, {"key_schema": make_schema(SchemaType.STRING), "value_schema": value}
            case "object":
                return SchemaType.STRUCT, {"fields": self._fields(node)}
            case "array" if connect == "map":
                parts = self._fields(node.get("items") or {})
                if [part.name for part in parts] != ["key", "value"]:
                    raise DataError("the items of a map in a JSON schema have the properties key and value")
                return SchemaType.MAP, {"key_schema": parts[0].schema, "value_schema": parts[1].schema}
            case "array":
                if not isinstance(node.get("items"), dict):
                    raise DataError("an array in a JSON schema has no items: Connect has no type for it")
                return SchemaType.ARRAY, {"value_schema": self.of(node["items"])}
        if kind not in _PLAIN:
            shown = next((word for word in ("allOf", "not", "const", "if") if word in node), None) or f"type {kind!r}"
            raise DataError(f"a JSON schema with {shown} holds nothing that Connect has a type for")
        if connect in _NARROW and str(connect).startswith(_TAKES.get(str(kind), ())):
            return _NARROW[connect], {}
        return _PLAIN[kind], {}

    def _fields(self, node: dict[str, Any]) -> list[Field]:
        """The properties in the order of their `connect.index`, those without one behind."""
        properties = node.get("properties")
        pairs = list(properties.items()) if isinstance(properties, dict) else []
        pairs.sort(key=lambda pair: _index(pair[1]))
        required = node.get("required") or []
        lenient = self._options.optional_for_nonrequired
        return [Field(name, self.of(part, optional=lenient and name not in required)) for name, part in pairs]

    def _with_default(self, schema: ConnectSchema, node: dict[str, Any]) -> ConnectSchema:
        if node.get("default") is None:
            return schema
        try:
            return schema.replace(default=decode(schema, node["default"], self._form))
        except MisfitError as error:
            raise DataError(f"the default of a JSON schema does not fit it: {error}") from error


def _index(node: Any) -> int:
    found = node.get("connect.index") if isinstance(node, dict) else None
    return found if type(found) is int else _LAST


def _at(root: Any, path: str, name: str) -> Any:
    """What a JSON pointer leads to."""
    found = root
    for step in path.split("/")[1:]:
        key = unquote(step).replace("~1", "/").replace("~0", "~")
        if not isinstance(found, dict) or key not in found:
            raise DataError(f"the JSON schema refers to {name}, where there is nothing")
        found = found[key]
    return found


def _text(node: dict[str, Any], key: str) -> str | None:
    found = node.get(key)
    return found if isinstance(found, str) else None
