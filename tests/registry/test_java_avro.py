"""Avro schemas and what Java's Avro 1.12.0 says of them: `Schema.toString()` and `SchemaCompatibility`, recorded.

The pairs were generated at random: a schema, and one that was made from it by changing some of its parts.
"""

import json
from pathlib import Path

import pytest

from headrace.registry.formats import avro
from headrace.registry.formats.avro_resolution import incompatibilities

PAIRS = [json.loads(line) for line in (Path(__file__).parent / "java_avro.jsonl").read_text().splitlines()]


def test_schemas_are_printed_as_java_prints_them():
    for pair in PAIRS:
        for each in ("reader", "writer"):
            assert avro.parse(pair[each], {}).canonical == pair[f"{each}_text"], pair[each]


def test_the_differences_are_those_that_java_finds():
    assert sum(len(pair.get("differences", ())) for pair in PAIRS) > 50
    for pair in PAIRS:
        reader, writer = (avro.parse(pair[each], {}).root for each in ("reader", "writer"))
        if "differences" in pair:
            found = [[each.type, each.path, each.info] for each in incompatibilities(reader, writer)]
            assert found == pair["differences"], pair


def test_a_field_that_may_be_read_from_two_is_a_difference_as_it_is_an_exception_in_java():
    unclear = [pair for pair in PAIRS if pair.get("raises")]
    assert unclear
    for pair in unclear:
        reader, writer = (avro.parse(pair[each], {}) for each in ("reader", "writer"))
        with pytest.raises(ValueError, match="matches multiple fields in writer record schema"):
            incompatibilities(reader.root, writer.root)
        (told,) = reader.incompatibilities(writer)
        assert told.startswith("Unexpected exception during compatibility check: Reader record field")
