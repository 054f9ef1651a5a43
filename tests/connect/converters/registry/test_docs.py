"""The tables of keys in docs/avro.md are made from the code."""

import re
from pathlib import Path

import pytest

from headrace.connect.api import ConfigDef
from headrace.connect.converters.avro.converter import AvroConverter
from headrace.connect.converters.json_schema import JsonSchemaConverter
from headrace.connect.converters.registry import registry_config_def
from tests.jdbc.sink.test_docs import line
from tests.pages import assert_page_has

PAGE = Path(__file__).parents[4] / "docs" / "avro.md"
DEFINITIONS = {
    "registry": registry_config_def,
    "avro": AvroConverter.own_config_def,
    "json-schema": JsonSchemaConverter.own_config_def,
}


def table(definition: ConfigDef) -> str:
    rows = "".join(line(key) for key in definition.keys.values()).replace("| `` |", "|  |")
    return f"| key | type | default | meaning |\n|---|---|---|---|\n{rows}"


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_page_lists_every_key_as_the_code_has_it(name: str) -> None:
    place = re.compile(rf"(<!-- keys: {name}\b[^\n]*-->\n)(.*?)(<!-- end of keys -->)", re.DOTALL)
    wanted = table(DEFINITIONS[name]())
    assert_page_has(PAGE, place, wanted)
