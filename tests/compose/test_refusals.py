"""Files that cannot be read: each fault has its line and its fix, and all are told at once."""

import pytest

from headrace.compose.keys import ITEM_KEYS, NESTED_KEYS, SERVICE_KEYS, TOP_KEYS, Verdict
from tests.compose.conftest import Folder, notes_of

DB = "services:\n  db:\n    image: postgres:16\n    environment: [POSTGRES_PASSWORD=x]\n"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("services:\n\tdb:\n", 2, "A tab indents this line: YAML takes blanks alone"),
        ("services:\n  db:\n    image: a\n\t  b: c\n", 4, "A tab indents this line"),
        ("services:\n  db: a: b\n", 2, "the colon here has no place"),
        ("services:\n  db:\n    image: a\n   ports: []\n", 4, "not indented as those above"),
        ("services:\n  db:\n    image: @x\n", 3, "quote the value"),
        ("services:\n  db: *common\n", 2, "write the anchor (&name) before the alias"),
        ("services:\n  db: 'x\n", 3, "This is not YAML"),
        ('services:\n  db:\n    image: "a\\0b"\n', 3, "An escape in these quotes is no character"),
        ('services:\n  "\\ud800": {}\n', 2, "An escape in these quotes is no character"),
        ("services:\n  db: \x00\n", 2, "A character that cannot be seen"),
        ("- a\n", 1, "A compose file is a mapping"),
        ("", 0, "The file is empty"),
        ("version: '3'\n", 1, "There is no service in it: add `services:`"),
        ("services: {}\n", 1, "There is no service in it"),
        ("services:\n  db:\n", 2, "services.db needs a mapping"),
        ("service:\n  db: {}\n", 1, "service: is no key at the top of a compose file; did you mean services?"),
        ("services: &a\n  db: *a\n", 1, "An alias holds itself"),
        ("services:\n  db:\n    <<: [1]\n", 3, "<<: takes a mapping"),
        ("services:\n  ? [a]\n  : b\n", 2, "A key must be text"),
        ("services:\n  a b:\n    image: x\n", 2, "'a b' is no service's name"),
        (f"{DB}    image: postgres:17\n", 5, "image is here twice, first in line 3: leave one of them out."),
        (f"{DB}  db:\n    image: x\n", 5, "db is here twice, first in line 2"),
        (f"{DB}    depend_on: [x]\n", 5, "depend_on: is no key in services.db; did you mean depends_on?"),
        (f"{DB}    foo_bar_baz: 1\n", 5, "foo_bar_baz: is no key in services.db: remove it."),
        (f"{DB}    ports: 5432:5432\n", 5, "write `- 5432:5432` in a line below `ports:`"),
        (f"{DB}    ports:\n      a: b\n", 5, "needs a list (`- value` lines below it), not a mapping."),
        (f"{DB}    volumes:\n      -data:/x\n", 6, "-data:/x has no blank after its dash, so it is no list"),
        (f"{DB}    healthcheck:\n      tset: x\n", 6, "tset: is no key in services.db.healthcheck; did you mean test?"),
        (f"{DB}    build: {{dockerfil: x}}\n", 5, "did you mean dockerfile?"),
        (f"{DB}    volumes: ['data:/x']\n", 5, "the volume data, which is not under `volumes:` at the top"),
        (f"{DB}    networks: [back]\n", 5, "in the network back, which is not under `networks:` at the top"),
        (f"{DB}    secrets: [pw]\n", 5, "the secret pw, which is not under `secrets:` at the top: add it there."),
        (f"{DB}    depends_on: [dbs]\n", 5, "services.db depends on dbs, which is no service of these files"),
        (f"{DB}    depends_on: [db]\n", 5, "services.db depends on db, itself: remove it."),
        (f"{DB}    depends_on:\n      db: {{condition: healthy}}\n", 6, "condition healthy is none of service_started"),
        (f"{DB}    command: a 'b\n", 5, "a quote is not closed"),
        ("services:\n  db:\n    container_name: x\n", 2, "services.db has neither image: nor build:"),
        (DB.replace("[POSTGRES_PASSWORD=x]", "\n      - POSTGRES_PASSWORD: x"), 5, "leave the dash out: `NAME: value`"),
        (DB.replace("[POSTGRES_PASSWORD=x]", "POSTGRES_PASSWORD=x"), 4, "write `- POSTGRES_PASSWORD=...`"),
        (DB.replace("[POSTGRES_PASSWORD=x]", "{POSTGRES_PASSWORD: [x]}"), 4, "POSTGRES_PASSWORD needs one value"),
    ],
)  # fmt: skip
def test_a_fault_has_its_line_and_its_fix(folder: Folder, text: str, line: int, words: str) -> None:
    place = f"compose.yaml:{line}: " if line else "compose.yaml: "
    faults = folder.faults_of(text)
    assert any(fault.startswith(place) and words in fault for fault in faults), faults


def test_faults_are_told_all_at_once_in_the_order_of_their_lines(folder: Folder) -> None:
    text = f"{DB}    prots: []\n    ports: [x]\n    depends_on: [nobody]\n  other:\n    images: x\n"
    lines = [fault.split(":")[1] for fault in folder.faults_of(text)]
    assert lines == ["5", "6", "7", "8", "9"]


def test_the_file_is_named_in_which_the_fault_is(folder: Folder) -> None:
    folder.write("a.yaml", DB)
    folder.write("b.yaml", "services:\n  db:\n    prots: []\n")
    assert folder.faults("a.yaml", "b.yaml") == [
        "b.yaml:3: prots: is no key in services.db; did you mean ports? Correct or remove it."
    ]


def test_a_file_that_is_not_text_is_refused(folder: Folder) -> None:
    (folder.path / "compose.yaml").write_bytes(b"\xff\xfe\x00")
    assert folder.faults()[0].endswith("compose.yaml cannot be read: it is not UTF-8.")


def test_dependencies_in_a_circle_are_shown(folder: Folder) -> None:
    text = (
        "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [c]}\n"
        "  c: {image: x, depends_on: [a]}\n"
    )
    assert "depends_on goes round in a circle, a -> b -> c -> a: take one of them out." in folder.faults_of(text)[0]


def test_two_containers_of_one_name_are_refused(folder: Folder) -> None:
    text = "services:\n  a: {image: x, container_name: n}\n  b: {image: x, container_name: n}\n"
    assert folder.faults_of(text) == ["compose.yaml:3: services.b and services.a are both named n: rename one."]


def test_services_start_after_those_that_they_depend_on(folder: Folder) -> None:
    plan = folder.read(
        "services:\n  a: {image: x, depends_on: {b: {condition: service_healthy}, gone: {required: false}}}\n"
        "  b: {image: x, links: ['c:alias']}\n  c: {image: x}\n"
    )
    assert [service.name for service in plan.services] == ["c", "b", "a"]
    assert plan.service("a").depends_on == ("b",)


def test_every_host_name_of_a_service_is_known(folder: Folder) -> None:
    text = (
        f"{DB}    container_name: pg\n    hostname: pg.local\n    networks:\n      back:\n"
        "        aliases: [database, db]\nnetworks:\n  back:\n"
    )
    assert folder.read(text).services[0].names == ("db", "pg", "pg.local", "database")


def test_what_is_not_needed_is_named_in_one_line_each(folder: Folder) -> None:
    more = "    healthcheck: {test: [CMD, pg_isready]}\n    restart: always\n    deploy: {replicas: 1}\n    x-mine: 1\n"
    plan = folder.read(DB + more)
    assert notes_of(plan, "db") == [
        "healthcheck: not needed: each server is waited for until it answers.",
        "deploy: not needed: one process each, with what it needs of this machine.",
    ]
    assert plan.services[0].restart == "always"
    assert [note.line for note in plan.notes] == [5, 7]


def test_every_key_that_is_not_needed_says_why() -> None:
    for key in (*SERVICE_KEYS.values(), *TOP_KEYS.values()):
        if key.verdict is Verdict.NOT_NEEDED:
            assert key.text.startswith(("not needed: ", "not run: "))


def test_tables_of_nested_keys_belong_to_keys_of_services() -> None:
    assert {*NESTED_KEYS, *ITEM_KEYS} <= set(SERVICE_KEYS)


@pytest.mark.parametrize(
    "environment",
    [
        "{POSTGRES_PASSWORD: 'hush$'}",
        "{POSTGRES_PASSWORD: 'hush${'}",
        "{POSTGRES_PASSWORD: '${A!hush}'}",
        "POSTGRES_PASSWORD=hush",
        "\n      -POSTGRES_PASSWORD=hush",
        "[{POSTGRES_PASSWORD: hush}]",
        "{POSTGRES_PASSWORD: [hush]}",
        "{POSTGRES_PASSWORD: hush, PGPORT: x}",
    ],
)
def test_no_secret_shows_in_a_fault(folder: Folder, environment: str) -> None:
    """Invariant 7."""
    faults = folder.faults_of(f"services:\n  db:\n    image: postgres\n    environment: {environment}\n")
    assert not [fault for fault in faults if "hush" in fault]


def test_no_secret_of_an_env_file_shows_in_a_fault(folder: Folder) -> None:
    folder.write("db.env", "POSTGRES_PASSWORD=x\nhush hush\n")
    faults = folder.faults_of("services:\n  db:\n    image: postgres\n    env_file: db.env\n")
    assert f"{folder.path}/db.env:2: This line is no variable: write NAME=value." in faults
    assert not [fault for fault in faults if "hush" in fault]
