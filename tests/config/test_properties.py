from pathlib import Path

import pytest

from headrace.config.addresses import AddressBook
from headrace.config.definition import ConfigError
from headrace.config.properties import from_environment, parse_properties, read_properties


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1\nb = 2\nc:3\nd 4\n", {"a": "1", "b": "2", "c": "3", "d": "4"}),
        ("# note\n! note\n\n  a=1", {"a": "1"}),
        ("a=1,\\\n    2", {"a": "1,2"}),
        ("a=C:\\\\x", {"a": "C:\\x"}),
        ("a\\ b\\=c=\\u0041", {"a b=c": "A"}),
        ("a=1 # no comment", {"a": "1 # no comment"}),
        ("empty=", {"empty": ""}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, expected: dict[str, str]) -> None:
    assert parse_properties(text) == expected


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.properties"):
        read_properties(tmp_path / "no.properties")


def test_environment_names_are_mapped_as_the_images_map_them() -> None:
    environment = {"CONNECT_GROUP_ID": "g", "CONNECT_A___B": "1", "CONNECT_A__B": "2", "CONNECTOR": "x"}
    assert from_environment("CONNECT", environment) == {"group.id": "g", "a_b": "1", "a-b": "2"}


def test_the_address_book_leaves_unknown_names_alone() -> None:
    book = AddressBook.parse("broker:29092=127.0.0.1:9093, db:5432=127.0.0.1:5433")
    assert book.resolve_list("broker:29092,other:9092") == "127.0.0.1:9093,other:9092"
    assert AddressBook.parse(book.format()) == book


def test_the_book_may_lie_in_files_that_are_read_each_time(tmp_path: Path) -> None:
    text = f"db:5432=127.0.0.1:1,@{tmp_path},@{tmp_path / 'own' / 'hosts'}"
    assert AddressBook.parse(text).resolve("db", 5432) == ("127.0.0.1", 1)
    for project, port in (("own", 2), ("zoo", 3)):
        (tmp_path / project).mkdir()
        (tmp_path / project / "hosts").write_text(f"db:5432=127.0.0.1:{port}\n{project}:1=127.0.0.1:{port}\n")
    book = AddressBook.parse(text)
    assert book.resolve("db", 5432) == ("127.0.0.1", 2)  # the last one that is named
    assert book.resolve("zoo", 1) == ("127.0.0.1", 3)


@pytest.mark.parametrize("text", ["broker", "broker=1.2.3.4:1", "broker:x=1.2.3.4:1", "broker:1=host:99999"])
def test_a_faulty_entry_is_named(text: str) -> None:
    with pytest.raises(ConfigError, match="name:port=host:port"):
        AddressBook.parse(text)
