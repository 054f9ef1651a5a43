"""Plans as reading compose files gives them, on free ports."""

from pathlib import Path

from headrace.compose.plan import (
    BrokerSettings,
    ConnectSettings,
    ListenerSetting,
    Note,
    Plan,
    PostgresSettings,
    PublishedPort,
    Service,
    ServiceKind,
    Settings,
    Volume,
)

FILE = Path("/course/docker-compose.yaml")

WORKER = {
    "bootstrap.servers": "broker:29092",
    "rest.advertised.host.name": "connect",
    "group.id": "docker-connect-group",
    "config.storage.topic": "docker-connect-configs",
    "config.storage.replication.factor": "1",
    "offset.storage.topic": "docker-connect-offsets",
    "offset.storage.replication.factor": "1",
    "status.storage.topic": "docker-connect-status",
    "status.storage.replication.factor": "1",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
}


def service(name: str, kind: ServiceKind, image: str, settings: Settings | None = None, **more: object) -> Service:
    facts = {"names": (name,), "line": 3, "file": FILE, "container_name": name, **more}
    return Service(name=name, kind=kind, image=image, settings=settings, **facts)  # type: ignore[arg-type]


def zookeeper() -> Service:
    return service("zookeeper", ServiceKind.ZOOKEEPER, "confluentinc/cp-zookeeper:7.3.0")


def broker(port: int, volumes: tuple[Volume, ...] = (), **properties: str) -> Service:
    listeners = (
        ListenerSetting("PLAINTEXT", 29092, "broker", 29092, "PLAINTEXT"),
        ListenerSetting("PLAINTEXT_HOST", 9092, "localhost", port, "PLAINTEXT"),
    )
    return service(
        "broker",
        ServiceKind.BROKER,
        "confluentinc/cp-kafka:7.3.0",
        BrokerSettings(listeners, 1, properties),
        ports=(PublishedPort("", port, 9092),),
        depends_on=("zookeeper",),
        volumes=volumes,
    )


def connect(port: int, **properties: str) -> Service:
    return service(
        "connect",
        ServiceKind.CONNECT,
        "part7-kafka-connect",
        ConnectSettings(8083, {**WORKER, **properties}),
        ports=(PublishedPort("", port, 8083),),
        depends_on=("broker",),
    )


def postgres(
    name: str,
    port: int,
    scripts: tuple[Path, ...] = (),
    password: str = "mypassword",
    volumes: tuple[Volume, ...] = (),
) -> Service:
    settings = PostgresSettings("myuser", password, "mydatabase", 5432, "14.0", {}, scripts)
    published = (PublishedPort("", port, 5432),) if port else ()
    environment = {"POSTGRES_USER": "myuser", "POSTGRES_DB": "mydatabase"}
    more = {"ports": published, "environment": environment, "volumes": volumes}
    return service(name, ServiceKind.POSTGRES, "postgres:14.0", settings, **more)


def foreign(name: str) -> Service:
    return service(name, ServiceKind.FOREIGN, f"course-{name}", depends_on=("postgres-server",))


def plan(*services: Service, name: str = "course") -> Plan:
    notes = tuple(Note(it.name, "left to you", 1) for it in services if it.kind is ServiceKind.FOREIGN)
    return Plan(name, (FILE,), services, notes)
