"""Which tables are chosen, by names alone."""

from typing import Any

import pytest

from headrace.jdbc.dialects import TableId
from headrace.jdbc.source.keys import config_def
from headrace.jdbc.source.selection import Selection, like

TABLES = [TableId(*name.split(".")) for name in ("public.a", "public.b", "sales.a", "sales.c", "Odd.x")]


def chosen(**keys: Any) -> list[str]:
    values = config_def().parse({name.replace("_", "."): text for name, text in keys.items()})
    return [str(table) for table in Selection(values).chosen(TABLES, "db")]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, ["public.a", "public.b", "sales.a", "sales.c", "Odd.x"]),
        ({"table_blacklist": "a"}, ["public.b", "sales.c", "Odd.x"]),
        ({"table_blacklist": "sales.a, db.public.b"}, ["public.a", "sales.c", "Odd.x"]),
        ({"table_include_list": "sales[.].*"}, ["sales.a", "sales.c"]),
        ({"table_include_list": "db.sales.*"}, ["sales.a", "sales.c"]),
        ({"table_include_list": "sales"}, []),
        ({"table_include_list": ".*,b", "table_exclude_list": r".*\.a,db\.Odd\..*"}, ["public.b", "sales.c"]),
        ({"schema_pattern": "s%"}, ["sales.a", "sales.c"]),
        ({"schema_pattern": "S%"}, []),
        ({"schema_pattern": "", "catalog_pattern": "d_"}, ["public.a", "public.b", "sales.a", "sales.c", "Odd.x"]),
        ({"catalog_pattern": "x"}, []),
    ],
)
def test_lists_and_patterns(keys: dict[str, str], expected: list[str]) -> None:
    assert chosen(**keys) == expected


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [
        (None, "anything", True),
        ("a_c", "abc", True),
        ("a_c", "abbc", False),
        ("a%c", "ac", True),
        (r"a\_c", "abc", False),
        (r"a\%", "a%", True),
        ("a.c", "abc", False),
        ("A", "a", False),
        ("a\\", "a\\", True),
    ],
)
def test_like_is_sqls(pattern: str | None, name: str, expected: bool) -> None:
    assert like(pattern, name) is expected
