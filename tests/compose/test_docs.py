"""The tables of docs/compose.md are made from the code."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from headrace.compose.images import IMAGES
from headrace.compose.keys import SERVICE_KEYS, TOP_KEYS, Key
from headrace.compose.plugins import BRINGS

PAGE = Path(__file__).parents[2] / "docs" / "compose.md"


def keys(table: Mapping[str, Key]) -> str:
    lines = [f"| `{name}` | {key.text} | {key.merge.value} |\n" for name, key in sorted(table.items())]
    return "| key | what becomes of it | in a later file |\n|---|---|---|\n" + "".join(lines)


def images() -> str:
    lines = [f"| `{name}` | {kind.value} |\n" for name, kind in IMAGES.items()]
    return "| image | read as |\n|---|---|\n" + "".join(lines)


def plugins() -> str:
    lines = [f"| `{name}` | {', '.join(f'`{cls}`' for cls in classes)} |\n" for name, classes in BRINGS.items()]
    return "| plug-in | classes that we stand in for, where this installation has them |\n|---|---|\n" + "".join(lines)


TABLES = {
    "images": images(),
    "plugins": plugins(),
    "top keys": keys(TOP_KEYS),
    "service keys": keys(SERVICE_KEYS),
}


@pytest.mark.parametrize("name", TABLES)
def test_the_page_says_what_the_code_says(name: str) -> None:
    place = re.compile(rf"(<!-- {name}:[^\n]*-->\n)(.*?)(<!-- end of {name} -->)", re.DOTALL)
    text = PAGE.read_text(encoding="utf-8")
    if os.environ.get("HEADRACE_WRITE_DOCS"):
        text = place.sub(lambda found: found[1] + TABLES[name] + found[3], text)
        PAGE.write_text(text, encoding="utf-8")
    found = place.search(text)
    assert found is not None
    assert found[2] == TABLES[name]
