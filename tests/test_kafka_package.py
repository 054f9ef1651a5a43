"""The library `kafka` is imported in parts, and is whole for who asks for the whole."""

import subprocess
import sys

import pytest


def modules_after(code: str) -> set[str]:
    """The modules of the library that a fresh interpreter has after `code`."""
    shown = "import sys; print(*(name for name in sys.modules if name.startswith('kafka')))"
    ran = subprocess.run([sys.executable, "-c", f"{code}\n{shown}"], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


@pytest.mark.parametrize(
    "ours", ["headrace.wire.messages", "headrace.broker.broker", "headrace.connect.runtime.server"]
)
def test_a_server_imports_no_client(ours: str) -> None:
    found = modules_after(f"import {ours}")
    assert "kafka.protocol" in found
    assert not found & {"kafka.admin", "kafka.consumer", "kafka.producer"}


def test_a_client_is_there_for_who_asks() -> None:
    code = "import headrace.wire.messages\nfrom kafka import KafkaConsumer\nassert KafkaConsumer.DEFAULT_CONFIG"
    assert "kafka.consumer.group" in modules_after(code)


def test_a_name_that_nobody_has_is_refused_as_ever() -> None:
    code = "import headrace.wire.messages, kafka\nassert not hasattr(kafka, 'nonsense')\nassert kafka.KafkaProducer"
    assert "kafka.producer.kafka" in modules_after(code)


def test_the_whole_library_imported_before_stays_whole() -> None:
    code = "import kafka\nbefore = kafka\nimport headrace.wire.messages\nassert sys.modules['kafka'] is before"
    assert "kafka.consumer" in modules_after("import sys\n" + code)
