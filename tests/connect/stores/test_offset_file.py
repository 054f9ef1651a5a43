"""The file of offsets of a standalone worker: Java's form, and what happens to a file that is not as it should be."""

import logging
import os

import pytest

from headrace.config import ConfigError
from headrace.connect.stores.java_map import dump, load
from headrace.connect.stores.offset_file import OffsetFile
from tests.oracle.java import STANDALONE, ask

KEY, VALUE = b'["c",{"protocol":"1","table":"public.t"}]', b'{"incrementing":7}'


@pytest.fixture
def file(tmp_path):
    return OffsetFile(tmp_path / "connect.offsets")


def test_what_is_put_is_read_by_the_next_worker(file):
    assert file.read() == []
    file.put([(KEY, VALUE)])
    file.put([(b"other", None)])
    assert OffsetFile(file.path).read() == [(KEY, VALUE), (b"other", None)]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    file = OffsetFile(tmp_path / "link")
    file.read()
    file.put([(KEY, VALUE)])
    assert (tmp_path / "link").is_symlink()
    assert load((tmp_path / "real").read_bytes()) == {KEY: VALUE}


def test_a_file_cut_short_is_taken_as_empty_with_a_warning_that_names_it(file, caplog):
    file.path.write_bytes(dump({KEY: VALUE})[:-5])
    with caplog.at_level(logging.WARNING):
        assert file.read() == []
    assert str(file.path) in caplog.text
    assert "sources begin anew" in caplog.text


def test_a_file_that_is_no_map_is_refused_and_left_as_it_is(file):
    file.path.write_text("incrementing=7\n")
    with pytest.raises(ConfigError, match="no file of Java's serialization"):
        file.read()
    assert file.path.read_text() == "incrementing=7\n"


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="make it, or give another file"):
        OffsetFile(tmp_path / "none" / "offsets").read()


def test_a_write_that_fails_changes_nothing(file, monkeypatch):
    """Without the second file the offsets would be lost with the write that broke off."""
    file.read()
    file.put([(KEY, VALUE)])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        file.put([(KEY, b"{}")])
    monkeypatch.undo()
    assert OffsetFile(file.path).read() == [(KEY, VALUE)]
    file.put([(b"k", b"v")])
    assert dict(OffsetFile(file.path).read()) == {KEY: VALUE, b"k": b"v"}


@pytest.mark.kafka
def test_javas_worker_reads_what_we_wrote_and_we_read_and_rewrite_what_it_wrote(tmp_path):
    ours, theirs = OffsetFile(tmp_path / "ours"), OffsetFile(tmp_path / "theirs")
    entries = {f'["c",{{"n":{number}}}]'.encode(): f'{{"at":{number}}}'.encode() for number in range(30)}
    ours.read()
    ours.put(entries.items())
    texts = [[key.decode(), value.decode()] for key, value in entries.items()]
    found, written, changed, both = ask(
        [
            {"do": "read", "file": str(ours.path), "keys": [key for key, _ in texts]},
            {"do": "write", "file": str(theirs.path), "entries": [*texts, ["reset", None]]},
            {"do": "write", "file": str(ours.path), "entries": [["java", "{}"]]},
            {"do": "read", "file": str(ours.path), "keys": ["java", texts[7][0]]},
        ],
        STANDALONE,
    )
    assert found["ok"] == dict(texts)
    assert written == changed == {"ok": {}}
    assert both["ok"] == {"java": "{}", texts[7][0]: texts[7][1]}
    assert dict(theirs.read()) == {**entries, b"reset": None}
    assert dump(dict(theirs.read())) == theirs.path.read_bytes()
    assert dict(ours.read()) == {**entries, b"java": b"{}"}
