"""docs/transforms.md: what it says of predicates."""

import json
import re
from pathlib import Path

import pytest

from headrace.config.properties import parse_properties
from headrace.connect.api import Predicate, Record, from_records
from headrace.connect.runtime.host.plugins import predicate_class
from headrace.connect.runtime.host.stages import make_stages

PAGE = (Path(__file__).parents[3] / "docs" / "transforms.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## For which records")[2].partition("\n## ")[0]
JAVA = "org.apache.kafka.connect.transforms.predicates."
STRINGS = dict.fromkeys(("key.converter", "value.converter"), "org.apache.kafka.connect.storage.StringConverter")


def test_the_example_gives_what_the_page_says() -> None:
    (block,) = re.findall(r"^```properties\n(.*?)^```", SECTION, re.DOTALL | re.MULTILINE)
    stages = make_stages(STRINGS, parse_properties(block))
    rows = re.findall(r"^\| `(.*)` \| `(.*)` \| (.*) \|$", SECTION, re.MULTILINE)
    assert len(rows) == 3
    for topic, before, after in rows:
        batches = from_records([Record(topic, value=json.loads(before))])
        made = [record.value for batch in batches for one in stages.transform(batch) for record in one.records()]
        assert made == ([] if after.startswith("nothing") else [json.loads(after.strip("`"))])


def test_each_predicate_of_the_page_has_both_names_and_the_key() -> None:
    rows = re.findall(r"^\| `(\w+)` \(`([\w-]+)`\) \| ?`?(\w*)`? ?\| ", SECTION, re.MULTILINE)
    assert len(rows) == 3
    for simple, native, key in rows:
        found = predicate_class(JAVA + simple, "type")
        assert found is predicate_class(native, "type")
        assert list(found.config_def().keys) == ([key] if key else [])


def test_the_predicate_of_the_page_runs() -> None:
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    names: dict[str, type[Predicate]] = {}
    exec(block, names)
    batch = from_records([Record("t", key="k"), Record("t")])[0]
    assert names["HasKey"]().test_batch(batch).to_pylist() == [True, False]


@pytest.mark.parametrize("name", ["HasHeaderKey", "TopicNameMatches"])
def test_what_a_predicate_cannot_do_without_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="no default value"):
        predicate_class(JAVA + name, "type")().configure({})
