"""docs/transforms.md: its examples give what it says, and its tables name the keys that there are."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from headrace.connect.api import NO_DEFAULT, ConfigKey, Record, from_records
from headrace.connect.runtime.host.plugins import stage_class, transform_class
from tests.connect.transforms.agreeing import by_batch

PAGE = (Path(__file__).parents[3] / "docs" / "transforms.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))


def table(section: str, head: str) -> list[list[str]]:
    """The rows of the table whose first column is headed so; no rows where there is none."""
    found = re.search(rf"^\| {head} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", SECTIONS[section], re.MULTILINE)
    rows = found.group(1).splitlines() if found else []
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows]


def settings(section: str) -> dict[str, str]:
    """The keys below `transforms.x.` of the section's example."""
    (block,) = re.findall(r"^```properties\n(.*?)^```", SECTIONS[section], re.DOTALL | re.MULTILINE)
    return dict(line.removeprefix("transforms.x.").split("=", 1) for line in block.splitlines())


def class_of(section: str) -> Any:
    """The transformation or predicate that the section begins with."""
    name = re.search(r"^`([\w$]+)`", SECTIONS[section].strip())
    assert name is not None, f"### {section} begins with no name of a class"
    return stage_class(name.group(1))


def parsed(cell: str) -> Any:
    return json.loads(cell.strip("`"))


EXAMPLES = [section for section in SECTIONS if table(section, "value")]


@pytest.mark.parametrize("section", EXAMPLES)
def test_an_example_gives_what_the_page_says(section: str) -> None:
    properties = settings(section)
    subject = transform_class(properties.pop("type"), "type")()
    subject.configure(properties)
    rows = table(section, "value")
    half = "key" if "| key becomes |" in SECTIONS[section] else "value"
    records = [Record("t", value=parsed(before)) for before, _ in rows]
    done = by_batch(subject, from_records(records))
    assert [getattr(record, half) for record in done] == [parsed(after) for _, after in rows]


def shown(key: ConfigKey) -> str:
    if key.default is NO_DEFAULT:
        return "required"
    if key.default is None:
        return "none"
    if key.default in ([], ""):
        return "empty"
    return f"`{str(key.default).lower() if isinstance(key.default, bool) else key.default}`"


@pytest.mark.parametrize("section", [section for section in SECTIONS if table(section, "key")])
def test_the_keys_of_the_page_are_those_of_the_class(section: str) -> None:
    keys = class_of(section).config_def().keys.values()
    assert [row[:2] for row in table(section, "key")] == [[f"`{key.name}`", shown(key)] for key in keys]


@pytest.mark.parametrize("section", SECTIONS)
def test_the_short_names_of_the_page_are_names_of_the_classes(section: str) -> None:
    pairs = re.findall(r"`([\w$]+)` \(`([\w-]+)`\)", SECTIONS[section])
    assert pairs
    for java, native in pairs:
        assert stage_class(java) is stage_class(native)
