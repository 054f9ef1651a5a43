"""docs/converters.md says what the converters do."""

import re
from pathlib import Path

import pytest

from headrace.connect.api import ConnectSchema, SchemaType
from headrace.connect.api.values import parse_string
from headrace.connect.runtime.host.plugins import converter_class, header_converter_class

TEXT = (Path(__file__).parents[3] / "docs" / "converters.md").read_text(encoding="utf-8")
SECTIONS = {part.partition("\n")[0].strip(): part for part in TEXT.split("\n## ")}


def rows(section: str) -> list[list[str]]:
    """The cells of a section's tables, without heads and lines."""
    lines = [line for line in SECTIONS[section].splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", ["JsonConverter", "StringConverter"])
def test_every_key_is_told_with_its_default(name: str) -> None:
    told = {cells[0].strip("`"): cells[1].strip("`") for cells in rows(name)}
    keys = converter_class(name, "value.converter").config_def().keys
    shown = {key: str(value.default).lower() if value.type.value == "BOOLEAN" else value.default for key, value in
             keys.items() if key != "converter.type"}  # fmt: skip
    assert told == {key: "" if default is None else str(default) for key, default in shown.items()}


def test_every_converter_without_settings_is_told_with_its_type() -> None:
    told = rows("ByteArrayConverter, BooleanConverter, and those of numbers")
    assert len(told) == 7
    for names, kind, *_ in told:
        java, short = re.fullmatch(r"`(\w+)` \(`([\w-]+)`\)", names).groups()  # type: ignore[union-attr]
        found = converter_class(java, "value.converter")
        assert found is converter_class(short, "value.converter") is header_converter_class(short, "header.converter")
        assert list(found.config_def().keys) == ["converter.type"]
        converter = found()
        converter.configure({}, is_key=False)
        (run,) = converter.to_connect("t", [None])
        assert run.schema is not None and run.schema.type is SchemaType[kind]


@pytest.mark.parametrize(("text", "kind", "note"), rows("SimpleHeaderConverter"))
def test_each_text_is_read_as_told(text: str, kind: str, note: str) -> None:
    found = parse_string(text.strip("`"))
    assert type_name(found.schema) == kind
    if kind in ("INT8", "INT32", "FLOAT32", "BOOLEAN"):
        assert str(found.value).lower() == re.split("[:;]", note)[0]


def type_name(kind: ConnectSchema | None) -> str:
    if kind is None:
        return ""
    if kind.type is SchemaType.ARRAY:
        return f"ARRAY of {kind.value_schema.type.name if kind.value_schema else 'any'}"
    return (kind.name or kind.type.name).rpartition(".")[2]
