"""Several listeners: each tells its own clients where to come back, and the address book says where to listen."""

import threading
import time
from pathlib import Path

import pytest
from kafka.protocol.metadata import MetadataRequest

from tests.conftest import free_port
from tests.contract.broker_process import broker_process
from tests.contract.wire_client import WireClient


def _told(bootstrap: str) -> tuple[str, int]:
    with WireClient(bootstrap) as wire:
        (broker,) = wire.call(MetadataRequest(topics=[]), 12).brokers
    return broker.host, broker.port


def test_each_listener_tells_its_own_address(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    settings = {
        "advertised.listeners": "DOCKER://broker:29092",
        "listeners": f"PLAINTEXT://127.0.0.1:{first},DOCKER://127.0.0.1:{second}",
    }
    with broker_process(tmp_path, settings, port=first):
        assert _told(f"127.0.0.1:{first}") == ("127.0.0.1", first)
        assert _told(f"127.0.0.1:{second}") == ("broker", 29092)


def test_the_address_book_says_where_a_name_listens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local, behind_name = free_port(), free_port()
    monkeypatch.setenv("HEADRACE_HOSTS", f"broker:29092=127.0.0.1:{behind_name},other:1=127.0.0.1:{local}")
    listeners = f"OTHER://other:1,LOCAL://127.0.0.1:{local},DOCKER://broker:29092"
    with broker_process(tmp_path, {"listeners": listeners}, port=local):
        assert _told(f"127.0.0.1:{behind_name}") == ("broker", 29092)
        assert _told(f"127.0.0.1:{local}") == ("127.0.0.1", local)


def test_who_comes_while_the_broker_opens_its_listeners_is_answered_as_ever(tmp_path: Path) -> None:
    ports = sorted({free_port() for _ in range(40)})
    listeners = ",".join(f"L{at}://127.0.0.1:{port}" for at, port in enumerate(ports))
    told: list[tuple[str, int]] = []

    def ask_as_early_as_can_be() -> None:
        deadline = time.monotonic() + 30
        while not told and time.monotonic() < deadline:
            try:
                told.append(_told(f"127.0.0.1:{ports[0]}"))
            except ConnectionRefusedError:
                time.sleep(0.0001)

    asking = threading.Thread(target=ask_as_early_as_can_be)
    asking.start()
    with broker_process(tmp_path, {"listeners": listeners}, port=ports[-1]) as broker:
        asking.join(30)
        assert told == [("127.0.0.1", ports[0])], broker.log
