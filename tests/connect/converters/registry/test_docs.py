"""The tables of keys in docs/avro.md are made from the code."""

import os
import re
from pathlib import Path

import pytest

from headrace.connect.api import ConfigDef
from headrace.connect.converters.avro.converter import AvroConverter
from headrace.connect.converters.json_schema import JsonSchemaConverter
from headrace.connect.converters.registry import registry_config_def
from tests.jdbc.sink.test_docs import line

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
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("HEADRACE_WRITE_DOCS"):
        text = place.sub(lambda found: found[1] + wanted + found[3], text)
        PAGE.write_text(text, encoding="utf-8")
    found = place.search(text)
    assert found is not None
    assert found[2] == wanted
