from typing import Any

import pyarrow as pa
import pytest

from headrace.connect.api import ConfigDef, ConfigError, ConnectSchema, DataError, SchemaType, schema, struct, to_column
from headrace.connect.transforms.field_path import FieldPath, Syntax, define_syntax, syntax_of

TEXT = schema(SchemaType.STRING, optional=True)
INNER = struct([("baz", TEXT), ("with default", schema(SchemaType.STRING, default="d"))], optional=True)
OUTER = struct([("foo.bar", INNER), ("text", TEXT)])


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("foo", ["foo"]),
        ("foo.bar.baz", ["foo", "bar", "baz"]),
        ("foo..bar", ["foo", "", "bar"]),
        (".", ["", ""]),
        ("foo.", ["foo", ""]),
        ("`foo.bar`.baz", ["foo.bar", "baz"]),
        ("foo.`bar.baz`", ["foo", "bar.baz"]),
        ("`foo`.", ["foo", ""]),
        ("foo.``bar.baz``", ["foo", "`bar.baz`"]),
        ("foo.ba`r.baz", ["foo", "ba`r", "baz"]),
        ("foo.ba\\`r.baz", ["foo", "ba\\`r", "baz"]),
        ("`foo\\`.bar`.baz", ["foo`.bar", "baz"]),
        ("`foo`bar`.baz", ["foo`bar", "baz"]),
        ("``", [""]),
    ],
)
def test_a_path_of_v2_is_cut_at_dots_outside_backticks(text: str, steps: list[str]) -> None:
    assert list(FieldPath.parse("field", text, Syntax.V2).steps) == steps


def test_a_path_of_v1_is_one_name() -> None:
    assert FieldPath.parse("field", "`foo`.bar.", Syntax.V1).steps == ("`foo`.bar.",)


@pytest.mark.parametrize(
    ("text", "position"), [("`foo.bar", 0), ("foo.`bar\\`", 4), ("`", 0), ("a.`b\\`.c", 2), ("`a`b", 0)]
)
def test_an_open_backtick_is_refused_with_its_place(text: str, position: int) -> None:
    with pytest.raises(ConfigError, match=f"before backtick at position {position} to escape it") as refused:
        FieldPath.parse("field", text, Syntax.V2)
    assert list(refused.value.errors) == ["field"]


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a name"):
        FieldPath.parse("field", "", Syntax.V2)


@pytest.mark.parametrize(("given", "wanted"), [({}, Syntax.V1), ({"field.syntax.version": "v2"}, Syntax.V2)])
def test_the_syntax_is_v1_unless_asked_for_in_any_case(given: dict[str, str], wanted: Syntax) -> None:
    assert syntax_of(define_syntax(ConfigDef()).parse(given)) is wanted


def test_an_unknown_syntax_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Invalid value V3 for configuration field.syntax.version"):
        define_syntax(ConfigDef()).parse({"field.syntax.version": "V3"})


@pytest.mark.parametrize(
    ("path", "value", "replace_null", "wanted"),
    [
        ("`foo.bar`.baz", {"foo.bar": {"baz": "x", "with default": "y"}, "text": None}, True, "x"),
        ("`foo.bar`.baz", {"foo.bar": None, "text": "t"}, True, None),
        ("`foo.bar`.with default", {"foo.bar": {"baz": "x", "with default": None}, "text": None}, True, "d"),
        ("`foo.bar`.with default", {"foo.bar": {"baz": "x", "with default": None}, "text": None}, False, None),
        ("text", None, True, None),
    ],
)
def test_a_path_finds_the_same_in_rows_and_in_columns(path: str, value: Any, replace_null: bool, wanted: Any) -> None:
    found = FieldPath.parse("field", path, Syntax.V2)
    assert found.value(OUTER, value, replace_null) == wanted
    column = to_column(OUTER, [value, value])
    assert isinstance(column, pa.Array)
    for part in (column, column.slice(1)):
        child = found.column(OUTER, part, replace_null)
        assert child is not None and set(child.to_pylist()) == {wanted}


@pytest.mark.parametrize(("path", "kind"), [("foo.bar", INNER), ("nothing", None)])
def test_a_path_finds_the_field_in_a_schema(path: str, kind: ConnectSchema | None) -> None:
    field = FieldPath.parse("field", path, Syntax.V1).field(OUTER)
    assert (field and field.schema) is kind


def test_a_step_into_a_text_is_an_error() -> None:
    path = FieldPath.parse("field", "text.more", Syntax.V2)
    with pytest.raises(DataError, match="Cannot look up fields on non-struct type"):
        path.field(OUTER)
    with pytest.raises(
        DataError,
        match=r"Only Map objects supported in absence of schema for \[nested field access\], found: java.lang.String",
    ):
        path.plain_value({"text": "t"})


@pytest.mark.parametrize(
    ("value", "wanted"), [({"a": {"b": [1]}}, [1]), ({"a": {}}, None), ({"a": None}, None), ({}, None), (None, None)]
)
def test_a_path_leads_into_maps(value: Any, wanted: Any) -> None:
    assert FieldPath.parse("field", "a.b", Syntax.V2).plain_value(value) == wanted
