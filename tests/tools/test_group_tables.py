"""Tables, plans and time of kafka-consumer-groups, without a cluster."""

from pathlib import Path

import pytest

from headrace.tools.command import UsageError
from headrace.tools.config_entities import additions
from headrace.tools.group_reset import (
    Failure,
    duration_ms,
    explicit_partitions,
    read_plans,
    timestamp_ms,
    written_plans,
)
from headrace.tools.group_tables import Group, Member, Offset, listing, members_table, offsets_table, reset_table
from headrace.tools.topic_names import pick

OWNED = Member("id-1", "", "/127.0.0.1", "client", (("t", 1), ("t", 0)))


def test_partitions_of_members_come_first_and_those_without_follow() -> None:
    group = Group("g", "Stable", "range", "127.0.0.1:9092  (1)", (OWNED,))
    offsets = {("t", 0): Offset(2, None, 5), ("t", 1): Offset(None, None, 7), ("old", 0): Offset(1, 3, 1)}
    lines = offsets_table(group, offsets, verbose=True)
    assert [line.split() for line in lines[1:]] == [
        ["g", "t", "0", "-", "2", "5", "3", "id-1", "/127.0.0.1", "client"],
        ["g", "t", "1", "-", "-", "7", "-", "id-1", "/127.0.0.1", "client"],
        ["g", "old", "0", "3", "1", "1", "0", "-", "-", "-"],
    ]


def test_a_group_without_offsets_has_no_table() -> None:
    assert offsets_table(Group("g", "Empty", "", "c"), {}, verbose=False) == []


def test_the_column_of_instances_is_there_where_a_member_has_one() -> None:
    static = Member("id-2", "node-a", "/h", "c", ())
    assert "GROUP-INSTANCE-ID" not in members_table(Group("g", "Stable", "r", "c", (OWNED,)), verbose=False)[0]
    table = members_table(Group("g", "Stable", "r", "c", (OWNED, static)), verbose=True)
    assert table[0].split()[2] == "GROUP-INSTANCE-ID"
    assert table[1].split()[-4:] == ["-", "t:0,1", "-", "-"]


def test_a_column_grows_with_its_longest_name() -> None:
    header, row = reset_table({"a-group-with-a-long-name": {("t", 0): 12}})
    assert header.index("TOPIC") == row.index("t ") == len("a-group-with-a-long-name") + 1


def test_a_listing_shows_what_is_asked_for() -> None:
    groups = [("g", "Classic", "Empty")]
    assert [line.split() for line in listing(groups, True, False)] == [["GROUP", "TYPE"], ["g", "Classic"]]
    assert [line.split() for line in listing(groups, False, True)] == [["GROUP", "STATE"], ["g", "Empty"]]


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:01", 1000),
        ("1970-01-01T00:00:01.250Z", 1250),
        ("1970-01-01T09:00:00.000+09:00", 0),
        ("1969-12-31T23:59:59.999", -1),
    ],
)
def test_a_moment_without_a_zone_is_in_utc(text: str, ms: int) -> None:
    assert timestamp_ms(text) == ms


@pytest.mark.parametrize("text", ["2020-01-01", "nonsenseT", "2020-13-01T00:00:00"])
def test_what_is_no_moment_is_told(text: str) -> None:
    with pytest.raises(Failure, match=r"java\.text\.ParseException"):
        timestamp_ms(text)


@pytest.mark.parametrize(
    ("text", "ms"), [("PT0S", 0), ("P1D", 86_400_000), ("PT1H30M", 5_400_000), ("-PT1S", -1000), ("pt-1.5s", -1500)]
)
def test_durations_are_read_as_java_reads_them(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "1H", "P1H"])
def test_what_is_no_duration_is_told(text: str) -> None:
    with pytest.raises(Failure, match="Text cannot be parsed to a Duration"):
        duration_ms(text)


def test_a_plan_that_was_written_is_read_back(tmp_path: Path) -> None:
    plans = {"g": {("t", 0): 5, ("a,b", 1): 7}}
    plans["g"].pop(("a,b", 1))
    file = tmp_path / "plan.csv"
    for one_group in (True, False):
        file.write_text(written_plans(plans, one_group))
        assert read_plans(str(file), "g" if one_group else None) == plans


def test_a_faulty_line_of_a_plan_is_named(tmp_path: Path) -> None:
    file = tmp_path / "plan.csv"
    file.write_text("t,0,5\nt,zero,5\n")
    with pytest.raises(Failure, match=r"line 2 of .*plan\.csv is not of the form topic,partition,offset"):
        read_plans(str(file), "g")


def test_partitions_are_named_behind_a_colon() -> None:
    assert explicit_partitions("t:0,2") == [("t", 0), ("t", 2)]
    for faulty in ("t:", "t:x", "t:0:1"):
        with pytest.raises(UsageError):
            explicit_partitions(faulty)


def test_commas_in_brackets_belong_to_a_value() -> None:
    assert additions("a=[1,2],b=3 , c = 4") == {"a": "1,2", "b": "3", "c": "4"}


def test_topics_are_picked_from_end_to_end() -> None:
    names = ["ab", "a", "__consumer_offsets", "b"]
    assert pick(names, "a", exclude_internal=False) == ["a"]
    assert pick(names, '"a, b"', exclude_internal=False) == ["a", "b"]
    assert pick(names, None, exclude_internal=True) == ["a", "ab", "b"]
