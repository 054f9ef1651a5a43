"""The table of keys in docs/jdbc/sink.md is made from the code."""

import re
from pathlib import Path

from headrace.connect.api import NO_DEFAULT, ConfigKey
from headrace.jdbc.sink.keys import sink_config
from tests.pages import assert_page_has

PAGE = Path(__file__).parents[3] / "docs" / "jdbc" / "sink.md"
PLACE = re.compile(r"(<!-- keys:[^\n]*-->\n)(.*?)(<!-- end of keys -->)", re.DOTALL)


def line(key: ConfigKey) -> str:
    default = "required" if key.default is NO_DEFAULT else "" if key.default is None else f"`{_shown(key.default)}`"
    return f"| `{key.name}` | {key.type.value.lower()} | {default} | {key.documentation} |\n"


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    return ",".join(default) if isinstance(default, list) else str(default)


def table() -> str:
    lines = [line(key) for key in sink_config().keys.values()]
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "".join(lines).replace("| `` |", "|  |")


def test_the_page_lists_every_key_as_the_code_has_it() -> None:
    assert_page_has(PAGE, PLACE, table())
