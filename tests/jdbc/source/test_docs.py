"""The table of keys in docs/jdbc/source.md is made from the code."""

import re
from pathlib import Path

from headrace.connect.api import NO_DEFAULT, ConfigKey
from headrace.jdbc.source.keys import config_def
from tests.pages import assert_page_has

PAGE = Path(__file__).parents[3] / "docs" / "jdbc" / "source.md"
PLACE = re.compile(r"(<!-- keys:[^\n]*-->\n)(.*?)(<!-- end of keys -->)", re.DOTALL)


def line(key: ConfigKey) -> str:
    default = "required" if key.default is NO_DEFAULT else _shown(key.default)
    text = key.documentation.replace("|", "\\|")
    return f"| `{key.name}` | {key.type.value.lower()} | {default} | {text} |\n"


def _shown(default: object) -> str:
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    text = ",".join(default) if isinstance(default, list) else str(getattr(default, "value", default))
    return f"`{text}`" if default is not None and text else ""


def table() -> str:
    lines = [line(key) for key in config_def().keys.values()]
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "".join(lines)


def test_the_page_lists_every_key_as_the_code_has_it() -> None:
    assert_page_has(PAGE, PLACE, table())
