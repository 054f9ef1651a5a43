"""Threads have their names in the system's eyes."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from headrace.config import name_thread

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")


def shown() -> str:
    return Path(f"/proc/self/task/{threading.get_native_id()}/comm").read_text().strip()


def test_a_thread_is_shown_by_its_name_cut_where_it_is_long() -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="fetcher-of-many-topics", initializer=name_thread) as pool:
        assert pool.submit(shown).result() == "fetcher-of-many"


def test_a_name_of_its_own_may_be_given_and_others_keep_theirs() -> None:
    before = shown()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(name_thread, "wire").result()
        assert pool.submit(shown).result() == "wire"
    assert shown() == before
