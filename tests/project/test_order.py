"""Plans as orders, ports of this machine, and the address book: without any I/O."""

from pathlib import Path

import pytest

from headrace.compose.plan import PublishedPort, Volume
from headrace.project.order import Port, ServiceOrder, Wanted, wanted
from headrace.project.ports import INTERNAL, assign, entries
from tests.project.plans import broker, connect, foreign, plan, postgres, zookeeper


def order(*services: object) -> Wanted:
    return wanted(plan(*services), "now")  # type: ignore[arg-type]


def test_what_is_wanted_is_read_as_it_was_written() -> None:
    made = order(zookeeper(), broker(9092), connect(8083), postgres("db", 5432, (Path("/x.sql"),)), foreign("gen"))
    assert Wanted.parse(made.format()) == made
    assert [service.runs for service in made.services] == [False, True, True, True, False]


def test_passwords_do_not_print_themselves() -> None:
    made = order(postgres("db", 5432, password="secret"))
    assert "secret" not in repr(made) and "secret" in made.format()


def test_equal_services_have_one_digest_wherever_they_were_written() -> None:
    (one,), (other,), (changed,) = (order(broker(port)).services for port in (9092, 9092, 9093))
    assert one.digest() == other.digest() != changed.digest()


def test_the_servers_own_ports_are_known_and_others_are_passed_over() -> None:
    (service,) = order(broker(19092)).services
    assert service.ports == (Port(9092, 19092, True), Port(29092))
    assert order(zookeeper()).services[0].ports == ()


@pytest.mark.parametrize(
    ("volume", "kept", "bound"),
    [
        (Volume("volume", "rows", "/var/lib/postgresql/data"), "rows", False),
        (Volume("bind", "./rows", "/var/lib/postgresql/data"), "db", True),
        (Volume("volume", "", "/var/lib/postgresql/data"), "", False),
        (Volume("bind", "./sql", "/docker-entrypoint-initdb.d"), "", False),
        (Volume("volume", "rows", "/var/lib/postgresql/data", read_only=True), "", False),
    ],
)
def test_data_is_kept_where_a_volume_is_mounted_at_the_images_data(volume: Volume, kept: str, bound: bool) -> None:
    (service,) = order(postgres("db", 0, volumes=(volume,))).services
    assert (service.volume, service.bound) == (kept, bound)


def test_published_ports_are_as_written_and_the_others_stay_where_they_were() -> None:
    free = iter(range(40000, 50000))
    services = order(broker(9092), postgres("db", 0)).services
    places = assign(services, {}, lambda: next(free))
    assert places["broker", 9092] == 9092
    others = {places["broker", 29092], places["broker", INTERNAL], places["db", 5432]}
    assert others == {40000, 40001, 40002}
    assert assign(services, places, lambda: next(free)) == places


def test_every_name_of_a_broker_leads_to_its_internal_listener() -> None:
    free = iter(range(40000, 50000))
    services = order(broker(19092), connect(18083)).services
    places = assign(services, {}, lambda: next(free))
    book = entries(services, places)
    internal = ("127.0.0.1", places["broker", INTERNAL])
    assert book["broker", 29092] == book["broker", 9092] == book["host.docker.internal", 19092] == internal
    assert book["connect", 8083] == ("127.0.0.1", 18083)
    assert ("localhost", 19092) not in book


def test_a_port_without_a_number_of_this_machine_gets_a_free_one() -> None:
    service = postgres("db", 0)
    published = order(type(service)(**{**_facts(service), "ports": (PublishedPort("", 0, 5432),)})).services
    assert published[0].ports == (Port(5432, 0, True),)
    assert assign(published, {}, lambda: 40000) == {("db", 5432): 40000}


def _facts(service: object) -> dict[str, object]:
    return {name: getattr(service, name) for name in service.__dataclass_fields__}  # type: ignore[attr-defined]


def test_an_order_is_read_out_of_json() -> None:
    (service,) = order(postgres("db", 5432)).services
    assert isinstance(service, ServiceOrder)
    assert service.settings["password"] == "mypassword"
    assert service.environment == {"POSTGRES_USER": "myuser", "POSTGRES_DB": "mydatabase"}
