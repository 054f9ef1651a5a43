"""`ports:`, short and long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.compose import PublishedPort
from headrace.compose.ports import PortError, parse_port
from tests.compose.conftest import Folder

PORTS = st.integers(1, 65535)
ADDRESSES = st.sampled_from(["127.0.0.1", "0.0.0.0", "192.168.1.10", "[::1]", "::1"])
POSTGRES = "services:\n  db:\n    image: postgres:16\n    environment: [POSTGRES_PASSWORD=x]\n    ports:\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9092", [PublishedPort("", 0, 9092)]),
        ("9092:9093", [PublishedPort("", 9092, 9093)]),
        ("22:22", [PublishedPort("", 22, 22)]),
        ("127.0.0.1:5432:5432/tcp", [PublishedPort("127.0.0.1", 5432, 5432)]),
        ("127.0.0.1::5432", [PublishedPort("127.0.0.1", 0, 5432)]),
        ("[::1]:80:81", [PublishedPort("::1", 80, 81)]),
        ("::1:80:81", [PublishedPort("::1", 80, 81)]),
        ("6060:6060/udp", [PublishedPort("", 6060, 6060, "udp")]),
        ("3000-3001:4000-4001", [PublishedPort("", 3000, 4000), PublishedPort("", 3001, 4001)]),
        ("3000-3001", [PublishedPort("", 0, 3000), PublishedPort("", 0, 3001)]),
        ("3000-3005:80", [PublishedPort("", 3000, 80)]),
    ],
)
def test_each_short_form_is_read(text: str, expected: list[PublishedPort]) -> None:
    assert parse_port(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no port"),
        ("abc", "is no port"),
        ("9092:", "is no port"),
        ("0:80", "from 1 to 65535"),
        ("80:70000", "from 1 to 65535"),
        ("90-80:1", "from 1 to 65535"),
        ("1-2:1-3", "differ in length"),
        ("80:80/http", "http is no protocol"),
        ("1:2:3:4:5", "1:2:3 of '1:2:3:4:5' is no IP address"),
        ("localhost:80:80", "write HOST:CONTAINER, or 127.0.0.1:HOST:CONTAINER"),
    ],
)
def test_what_is_no_port_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(PortError, match=words):
        parse_port(text)


@given(ADDRESSES, PORTS, PORTS, st.sampled_from(["", "/tcp", "/udp"]))
def test_address_ports_and_protocol_come_back(address: str, host: int, container: int, protocol: str) -> None:
    (port,) = parse_port(f"{address}:{host}:{container}{protocol}")
    assert port == PublishedPort(address.strip("[]"), host, container, protocol.strip("/") or "tcp")


@given(st.integers(1, 60000), st.integers(1, 60000), st.integers(0, 20))
def test_ranges_go_side_by_side(host: int, container: int, length: int) -> None:
    found = parse_port(f"{host}-{host + length}:{container}-{container + length}")
    assert [(port.host_port, port.container_port) for port in found] == [
        (host + step, container + step) for step in range(length + 1)
    ]


@given(st.text(st.sampled_from("0123456789:-./[]abtcpud"), max_size=24))
def test_any_text_is_ports_or_a_sentence(text: str) -> None:
    try:
        found = parse_port(text)
    except PortError:
        assert not text.isdecimal() or not 0 < int(text) < 65536
    else:
        assert found and all(0 <= port.host_port < 65536 and 0 < port.container_port < 65536 for port in found)


def test_the_long_form_is_read(folder: Folder) -> None:
    text = '      - {target: 5432, published: "5433", host_ip: 127.0.0.1, protocol: tcp, mode: host, name: db}\n'
    (service,) = folder.read(POSTGRES + text).services
    assert service.ports == (PublishedPort("127.0.0.1", 5433, 5432),)


def test_base_sixty_is_not_read_into_a_port(folder: Folder) -> None:
    (service,) = folder.read(f"{POSTGRES}      - 22:22\n").services
    assert service.ports == (PublishedPort("", 22, 22),)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("- {published: 1}", "target: is missing"),
        ("- {target: 1, publish: 2}", "publish: is no key in services.db.ports; did you mean published?"),
        ("- 5432;5432", "'5432;5432' is no port"),
        ("- [5432]", "a list has no place here"),
    ],
)
def test_a_faulty_port_has_its_line(folder: Folder, item: str, words: str) -> None:
    assert any(
        fault.startswith("compose.yaml:6: ") and words in fault
        for fault in folder.faults_of(f"{POSTGRES}      {item}\n")
    )


def test_two_services_on_one_host_port_are_refused_with_both_names(folder: Folder) -> None:
    two = "\n".join((f"{POSTGRES}      - 5432:5432", POSTGRES.replace("services:\n", "").replace("db", "copy"), ""))
    assert folder.faults_of(f"{two.rstrip()}\n      - 127.0.0.1:5432:5432\n") == [
        (
            "compose.yaml:11: services.copy publishes host port 5432, which services.db has already: "
            "give one of them another, as in 5433:5432."
        )
    ]


def test_one_port_on_two_addresses_is_no_conflict(folder: Folder) -> None:
    plan = folder.read(f"{POSTGRES}      - 127.0.0.1:5432:5432\n      - 127.0.0.2:5432:5432\n      - 5432:5432/udp\n")
    assert len(plan.services[0].ports) == 3
