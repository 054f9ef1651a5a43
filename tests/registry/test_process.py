"""The registry as a process: what outlives it, who writes, and what it says where it cannot."""

import os
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.config import ConfigError
from headrace.registry.config import RegistryConfig
from headrace.serve.registry import registry_properties
from tests.conftest import free_port
from tests.registry.registry_process import RegistryProcess, until
from tests.registry.serving import properties, serve


@pytest.fixture
def run(tmp_path: Path, brokers) -> Iterator[Callable[..., RegistryProcess]]:
    """Makes registries, on one topic unless another is named; they end with the test."""
    made: list[RegistryProcess] = []
    topic = f"_schemas-{uuid.uuid4().hex[:8]}"

    def make(**more: str) -> RegistryProcess:
        given = {key.replace("_", "."): value for key, value in more.items()}
        made.append(RegistryProcess(tmp_path, {**properties(brokers.bootstrap, topic), **given}))
        return made[-1]

    yield make
    for each in made:
        each.close()


def registered(client: httpx.Client, subject: str, schema: str = '"int"') -> httpx.Response:
    return client.post(f"/subjects/{subject}/versions", json={"schema": schema})


def test_a_restart_keeps_all(run):
    registry = run()
    registry.start()
    assert registered(registry.client, "a").json()["id"] == 1
    assert registered(registry.client, "a", '"long"').json()["id"] == 2
    registry.client.put("/config/a", json={"compatibility": "FULL"})
    shown = registry.client.get("/schemas").json()
    assert registry.stop() == 0
    registry.start(command="schema-registry-start")
    assert registry.client.get("/schemas").json() == shown
    assert registry.client.get("/config/a").json() == {"compatibilityLevel": "FULL"}
    assert registered(registry.client, "b", '"string"').json()["id"] == 3


@pytest.mark.crash
def test_kill_9_keeps_what_was_acknowledged_and_the_restarted_registry_writes_at_once(run):
    """Fails where a registration is answered before its record is acknowledged."""
    registry = run()
    registry.start()
    acknowledged: dict[str, int] = {}
    enough = threading.Event()

    def write() -> None:
        for number in range(10_000):
            try:
                schema = f'{{"type":"fixed","name":"F","size":{number}}}'
                acknowledged[f"s{number}"] = registered(registry.client, f"s{number}", schema).json()["id"]
            except httpx.TransportError:
                return
            if number == 20:
                enough.set()

    writer = threading.Thread(target=write)
    writer.start()
    assert enough.wait(30)
    registry.kill()
    writer.join(30)
    registry.start()
    for subject, id_ in acknowledged.items():
        assert registry.client.get(f"/subjects/{subject}/versions/1").json()["id"] == id_
    assert registered(registry.client, "after", '"string"').json()["id"] > max(acknowledged.values())


@pytest.mark.parametrize("host", ["aaaa", "zzzz"])
def test_a_second_registry_reads_along_and_refuses_to_write(run, host):
    """Fails where the partition goes to the member whose name comes first, as it does by Kafka's range assignor."""
    first, second = run(host_name="mmmm"), run(host_name=host)
    first.start()
    assert registered(first.client, "a").json()["id"] == 1
    second.start()
    assert second.client.get("/subjects/a/versions").json() == [1]
    refused = registered(second.client, "b")
    assert (refused.status_code, refused.json()["error_code"]) == (500, 50004)
    assert refused.json()["message"].startswith("Leader not known. Another registry of the group")
    assert registered(first.client, "b").status_code == 200
    until(lambda: second.client.get("/subjects").json() == ["a", "b"], lambda: second.log)
    if host == "aaaa":
        return
    first.stop()
    until(lambda: registered(second.client, "c").status_code == 200, lambda: second.log, 40)


def test_without_a_broker_it_waits_says_so_and_stops_when_told(tmp_path):
    registry = RegistryProcess(tmp_path, properties(f"127.0.0.1:{free_port()}", "_schemas"))
    try:
        registry.start(ready=False)

        def told() -> bool:
            try:
                answer = registry.client.get("/subjects")
            except httpx.TransportError:
                return False
            assert (answer.status_code, answer.json()["error_code"]) == (500, 50001)
            assert answer.json()["message"].startswith("Waiting for a broker at")
            return True

        until(told, lambda: registry.log)
        assert registered(registry.client, "a").json()["error_code"] == 50001
        assert registry.stop() == 0
    finally:
        registry.close()


def test_a_broker_that_goes_away_makes_writes_time_out_and_reads_go_on(tmp_path):
    from tests.contract.broker_process import broker_process

    with broker_process(tmp_path / "broker") as broker, serve(broker.bootstrap, kafkastore_timeout_ms="1000") as served:
        assert served.register("a", '"int"').status_code == 200
        broker.kill()
        answer = served.register("b", '"int"')
        assert (answer.status_code, answer.json()["error_code"]) == (500, 50002)
        assert answer.json()["message"].startswith("Register schema operation timed out")
        assert served.client.get("/subjects/a/versions").json() == [1]
        broker.start()
        until(lambda: served.register("c", '"long"').status_code == 200, lambda: broker.log, 40)
        assert served.client.get("/subjects/c/versions").json() == [1]


def test_a_topic_that_was_written_elsewhere_is_taken_over(brokers):
    topic = f"_schemas-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": brokers.bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1, config={"cleanup.policy": "compact"})])[topic].result(10)
    producer = Producer({"bootstrap.servers": brokers.bootstrap, "enable.idempotence": True})
    for key, value in (
        ('{"keytype":"NOOP","magic":0}', None),
        (
            '{"keytype":"SCHEMA","subject":"s-value","version":1,"magic":1}',
            '{"subject":"s-value","version":1,"id":41,"schema":"\\"int\\"","deleted":false}',
        ),
        ('{"keytype":"CONFIG","subject":null,"magic":0}', '{"compatibilityLevel":"NONE"}'),
    ):
        producer.produce(topic, None if value is None else value, key, partition=0)
    assert producer.flush(20) == 0
    with serve(brokers.bootstrap, topic) as served:
        assert served.client.get("/schemas/ids/41").json()["schema"] == '"int"'
        assert served.client.get("/config").json() == {"compatibilityLevel": "NONE"}
        assert served.register("s-value", '"string"').json()["id"] == 42


def test_a_topic_that_forgets_is_refused(brokers, run):
    topic = f"_schemas-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": brokers.bootstrap})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(10)
    registry = run(kafkastore_topic=topic)
    registry.start(ready=False)
    assert registry.process is not None
    assert registry.process.wait(30) == 1
    assert f"headrace registry: The topic {topic} (kafkastore.topic) has cleanup.policy=delete" in registry.log
    assert "Traceback" not in registry.log


def test_the_registry_stops_at_the_end_of_its_parents_pipe(run):
    registry = run()
    reader, writer = os.pipe()
    program = [sys.executable, "-m", "headrace", "registry", str(registry.file), "--parent-fd", str(reader)]
    with subprocess.Popen(program, pass_fds=[reader], stderr=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        os.close(reader)
        assert process.stdout is not None
        assert b"ready" in process.stdout.readline()
        os.close(writer)
        assert process.wait(15) == 0


def test_the_registry_loads_no_columns_no_database_driver_and_no_schema_library_before_it_needs_it():
    program = (
        "import sys, headrace.cli.registry, headrace.registry.http.app, headrace.http.server\n"
        "print(*sorted({'pyarrow', 'polars', 'numpy', 'sqlalchemy', 'psycopg', 'fastapi', 'jsonschema_rs'}"
        " & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""


def test_settings_come_from_the_file_the_environment_and_the_command_line(tmp_path):
    file = tmp_path / "schema-registry.properties"
    file.write_text("listeners=http://0.0.0.0:8081\nkafkastore.topic=_a\nhost.name=file\n")
    environment = {
        "SCHEMA_REGISTRY_HOST_NAME": "schema-registry",
        "SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS": "broker:29092",
        "SCHEMA_REGISTRY_SCHEMA_REGISTRY_GROUP_ID": "g",
        "SCHEMA_REGISTRY_HEAP_OPTS": "-Xmx1g",
    }
    assert registry_properties(file, environment, ["kafkastore.topic=_b"]) == {
        "listeners": "http://0.0.0.0:8081",
        "kafkastore.topic": "_b",
        "host.name": "schema-registry",
        "kafkastore.bootstrap.servers": "broker:29092",
        "schema.registry.group.id": "g",
    }
    with pytest.raises(ConfigError, match="write it as KEY=VALUE"):
        registry_properties(file, {}, ["kafkastore.topic"])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"listeners": "8081"}, "http://HOST:PORT would do"),
        ({"listeners": "https://h:1"}, "http://HOST:PORT would do"),
        ({"schema.compatibility.level": "some"}, "one of none, backward"),
        ({"kafkastore.timeout.ms": "soon"}, "Not a number of type INT"),
    ],
)
def test_a_faulty_setting_is_named_with_what_would_do(given, why):
    with pytest.raises(ConfigError, match=why):
        RegistryConfig.read(given)


def test_the_kafka_clients_get_their_settings_by_kafkastores_names():
    config = RegistryConfig.read(
        {
            "kafkastore.bootstrap.servers": "SASL_SSL://a:1,SASL_SSL://b:2",
            "kafkastore.sasl.mechanism": "PLAIN",
            "kafkastore.topic.config.min.insync.replicas": "2",
        }
    )
    assert config.client() == {
        "bootstrap.servers": "a:1,b:2",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "PLAIN",
    }
    assert config.topic().configuration == {"cleanup.policy": "compact", "min.insync.replicas": "2"}
    with pytest.raises(ConfigError, match="HTTP:// is none of"):
        RegistryConfig.read({"kafkastore.bootstrap.servers": "HTTP://a:1"}).client()
