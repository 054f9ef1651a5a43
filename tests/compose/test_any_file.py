"""Whatever a file holds, it is a plan or a refusal with sentences: nothing else comes out."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from headrace.compose import ComposeError, Plan, read_plan
from tests.compose import tutorial

WHOLE = tutorial.ZOOKEEPER_AND_BROKER_MENDED + tutorial.REGISTRY + tutorial.CONNECT + tutorial.TARGET
MARKS = ["", " ", "  ", "-", "- ", ":", ": ", "{", "}", "[", "]", "$", "${", "${A:-", "'", '"', "&a ", "*a", "\t", "#"]
WORDS = ["null", "1", "services:\n", "extends: broker\n", "include: [x]\n", "!reset ", "<<: ", "é", "\x00", "---\n"]
PIECES = st.sampled_from([*MARKS, *WORDS])
VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def read(text: str) -> Plan | list[str]:
    """The plan, or the lines of the refusal."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "compose.yaml").write_text(text, encoding="utf-8")
        (path / "connect.Dockerfile").write_text(tutorial.DOCKERFILE, encoding="utf-8")
        (path / "Dockerfile").write_text("FROM python:3.9\n", encoding="utf-8")
        try:
            return read_plan((), "shop", {}, path)
        except ComposeError as error:
            return [str(fault) for fault in error.faults]


def check(found: Plan | list[str]) -> None:
    if isinstance(found, Plan):
        assert found.services
    else:
        assert found
        assert all(fault.rstrip().endswith((".", "?")) for fault in found), found


def test_the_whole_file_is_a_plan() -> None:
    assert isinstance(read(WHOLE), Plan)


@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(WHOLE)), st.integers(0, 12), PIECES)
def test_a_slip_of_the_hand_is_a_plan_or_a_refusal(at: int, length: int, piece: str) -> None:
    check(read(WHOLE[:at] + piece + WHOLE[at + length :]))


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, WHOLE.count("\n") - 1), VALUES)
def test_any_value_in_any_place_is_a_plan_or_a_refusal(line: int, value: object) -> None:
    """JSON is YAML: a value of any shape after the key of a line."""
    lines = WHOLE.splitlines()
    head, colon, _ = lines[line].partition(":")
    lines[line] = f"{head}{colon} {json.dumps(value)}"
    check(read("\n".join(lines) + "\n"))
