"""MaskField, InsertField and Cast where they differ from Java, and how they refuse."""

from decimal import Decimal
from typing import Any

import pytest

from headrace.connect.api import ConfigError, DataError, Record, SchemaType, from_records, schema, struct
from headrace.connect.api.schema import decimal
from headrace.connect.transforms.cast import CastValue
from headrace.connect.transforms.insert_field import InsertFieldValue
from headrace.connect.transforms.mask_field import MaskFieldValue
from tests.connect.transforms.agreeing import made, value_of

MONEY = struct([("a", decimal(2, 10))])


@pytest.mark.parametrize(("more", "masked"), [({}, "0.00"), ({"replacement": "7"}, "7.00")])
def test_a_masked_decimal_keeps_the_scale_of_its_field(more: dict[str, str], masked: str) -> None:
    _, value = value_of(made(MaskFieldValue, fields="a", **more), MONEY, {"a": Decimal("1.25")})
    assert str(value["a"]) == masked


def test_a_replacement_with_more_digits_than_its_field_is_refused() -> None:
    subject = made(MaskFieldValue, fields="a", replacement="1.255")
    record = Record("t", value_schema=MONEY, value={"a": Decimal("1.25")})
    for run in (lambda: subject.apply(record), lambda: subject.apply_batch(from_records([record])[0])):
        with pytest.raises(DataError, match=r"1\.255 has more digits .* scale 2"):
            run()


def test_an_offset_in_a_source_is_refused() -> None:
    with pytest.raises(DataError, match=r"offset\.field is for sinks alone"):
        made(InsertFieldValue, offset_field="o").apply(Record("t", value={}))


def test_a_static_field_without_a_value_is_refused_with_the_key_that_lacks() -> None:
    with pytest.raises(ConfigError) as caught:
        made(InsertFieldValue, static_field="a")
    assert list(caught.value.errors) == ["static.value"]


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("a:x", "casting spec: x"),
        ("a:b:c", "a:b:c"),
        ("a:map", "MAP"),
        ("int8,a:int8", "single cast"),
        (":", "casting spec"),
    ],
)
def test_a_bad_spec_is_refused_with_the_reason(spec: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why) as caught:
        made(CastValue, spec=spec)
    assert list(caught.value.errors) == ["spec"]


@pytest.mark.parametrize("value", ["300", "x", "", "1.5", None])
def test_a_text_that_does_not_fit_is_refused_and_named(value: Any) -> None:
    record = Record("t", value_schema=schema(SchemaType.STRING, optional=True), value=value)
    subject = made(CastValue, spec="int8")
    if value is None:
        assert subject.apply(record) == record
        return
    with pytest.raises(DataError, match=rf"Value \({value}\) was out of range for requested data type INT8"):
        subject.apply(record)
