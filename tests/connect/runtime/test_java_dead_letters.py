"""Dead letters and error logs beside those of Apache Kafka Connect 4.3.1, of the same records and configurations."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaException, Message

from tests.connect.runtime.pipeline import Cluster, Rig, eventually
from tests.connect.test_java_workers import JavaWorker

pytestmark = pytest.mark.kafka
FILE_SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"
JSON = "org.apache.kafka.connect.json.JsonConverter"
STRING = "org.apache.kafka.connect.storage.StringConverter"
TRANSFORMS = "org.apache.kafka.connect.transforms"
KEPT = [("mine", b"kept"), ("empty", b""), ("none", None)]
BAD = {"value": b"no json", "key": b"k", "timestamp": 1_700_000_000_123, "headers": KEPT}

CASES: dict[str, tuple[dict[str, str], list[dict[str, Any]]]] = {
    "value": ({"value.converter": JSON}, [BAD, {"value": b'{"a":1}'}, {"value": b'{"schema":null,"payload":"good"}'}]),
    "key": ({"key.converter": JSON, "value.converter": JSON}, [BAD]),
    "header": ({"header.converter": JSON}, [BAD]),
    "transform": (
        {"transforms": "k", "transforms.k.type": f"{TRANSFORMS}.ValueToKey", "transforms.k.fields": "id"},
        [BAD],
    ),
    "stops": ({"value.converter": JSON, "errors.tolerance": "none"}, [BAD, BAD]),
}


def _config(name: str, topic: str, file: Path, own: Mapping[str, str]) -> dict[str, str]:
    letters = "errors.deadletterqueue"
    return {
        "name": name,
        "connector.class": FILE_SINK,
        "topics": topic,
        "file": str(file),
        "errors.tolerance": "all",
        "errors.log.enable": "true",
        "errors.log.include.messages": "true",
        f"{letters}.topic.name": f"{name}-letters",
        f"{letters}.topic.replication.factor": "1",
        f"{letters}.context.headers.enable": "true",
        **own,
    }


class Both:
    """Each case in a connector of ours and in one of Java's, which have both come to the end of their topics."""

    def __init__(self, rig: Rig, directory: Path) -> None:
        self.rig, self.cluster, self.directory = rig, rig.cluster, directory
        self.topics = {case: self._topic(records) for case, (_, records) in CASES.items()}
        for case, (own, _) in CASES.items():
            self.rig.start_unheard(_config(f"ours-{self.topics[case]}", self.topics[case], directory / "ours", own))
        self.java = JavaWorker(directory, self._settings(), [self._java_file(case) for case in CASES])

    def _topic(self, records: list[dict[str, Any]]) -> str:
        topic = self.cluster.create()
        for record in records:
            self.cluster.write_one(topic, **record)
        return topic

    def _settings(self) -> dict[str, str]:
        converters = {"key.converter": STRING, "value.converter": STRING}
        offsets = {"offset.storage.file.filename": str(self.directory / "offsets")}
        return {"bootstrap.servers": self.cluster.bootstrap, **offsets, **converters}

    def _java_file(self, case: str) -> Path:
        path = self.directory / f"{case}.properties"
        config = _config(f"java-{self.topics[case]}", self.topics[case], self.directory / "java", CASES[case][0])
        path.write_text("".join(f"{key}={value}\n" for key, value in config.items()))
        return path

    def letters(self, whose: str, case: str) -> list[Message]:
        try:
            return self.cluster.read(f"{whose}-{self.topics[case]}-letters")
        except (KafkaException, KeyError):
            return []


@pytest.fixture(scope="module")
def both(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    rig = Rig(cluster, **{"key.converter": STRING, "value.converter": STRING})
    made = Both(rig, tmp_path_factory.mktemp("both"))
    made.java.start()
    for case, number in {"value": 2, "key": 1, "header": 1, "transform": 1, "stops": 1}.items():
        for whose in ("java", "ours"):
            eventually(lambda w=whose, c=case: len(made.letters(w, c)), number, 30)  # type: ignore[misc]
    yield made
    made.java.close()
    rig.pool.stop(5000)


def _headers(letter: Message) -> dict[str, str | None]:
    return {name: None if value is None else value.decode() for name, value in letter.headers()}


@pytest.mark.parametrize("case", CASES)
def test_letters_are_the_same_but_for_the_stack_and_what_ours_says_more(both: Both, case: str) -> None:
    theirs, ours = both.letters("java", case), both.letters("ours", case)
    assert len(theirs) == len(ours) > 0
    for their, our in zip(theirs, ours, strict=True):
        assert (our.key(), our.value(), our.timestamp()) == (their.key(), their.value(), their.timestamp())
        wanted, found = _headers(their), _headers(our)
        assert list(found) == list(wanted)
        message, stack = "__connect.errors.exception.message", "__connect.errors.exception.stacktrace"
        assert found.pop(message).startswith(wanted.pop(message))  # type: ignore[union-attr,arg-type]
        assert found.pop(stack).startswith(wanted.pop(stack).partition("\n")[0])  # type: ignore[union-attr]
        name = "__connect.errors.connector.name"
        assert found.pop(name)[5:] == wanted.pop(name)[5:]  # type: ignore[index]
        assert found == wanted


def test_the_error_log_says_the_same(both: Both, capfd: pytest.CaptureFixture[str]) -> None:
    topic = both.topics["value"]
    pattern = re.compile(rf"Error encountered in task (?:java|ours)-{topic}-0\. .*\}}\.")
    heard = [message.text for message in both.rig.heard.messages if type(message).__name__ == "LogLine"]
    ours = [found[0] for text in heard if (found := pattern.search(text))]
    theirs = pattern.findall(both.java.log_file.read_text())
    assert [line.replace("ours-", "java-") for line in ours] == theirs and len(theirs) == 2
