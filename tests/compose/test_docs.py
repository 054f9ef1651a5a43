"""The tables of docs/compose.md are made from the code."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from headrace.compose.images import IMAGES
from headrace.compose.keys import SERVICE_KEYS, TOP_KEYS, Key
from headrace.compose.plugins import BRINGS
from tests.pages import assert_page_has

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
    assert_page_has(PAGE, place, TABLES[name])
