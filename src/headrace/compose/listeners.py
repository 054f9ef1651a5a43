"""The listeners of a broker, from KAFKA_ADVERTISED_LISTENERS and its like, with Kafka's own rules on them.

As Confluent's images do, KAFKA_LISTENERS is made of the advertised ones, on every interface, where it is left out.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from headrace.compose.draft import Draft
from headrace.compose.findings import Findings, did_you_mean
from headrace.compose.plan import ListenerSetting

ADVERTISED: Final = "KAFKA_ADVERTISED_LISTENERS"
LISTENERS: Final = "KAFKA_LISTENERS"
PROTOCOLS: Final = "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"
_CONTROLLERS: Final = "KAFKA_CONTROLLER_LISTENER_NAMES"
_INTER_BROKER: Final = "KAFKA_INTER_BROKER_LISTENER_NAME"
_KNOWN: Final = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_LISTENER: Final = re.compile(r"([A-Za-z][\w.-]*)://(\[[0-9A-Fa-f:.]+\]|[\w.-]*):(\d{1,5})")
_NEARLY: Final = re.compile(r"([A-Za-z][\w.-]*)\s*[:/\s]+([\w.-]*):(\d{1,5})/?")

ALL_DEFAULTS: Final[Mapping[str, str]] = {
    LISTENERS: "PLAINTEXT://:9092,CONTROLLER://:9093",
    ADVERTISED: "PLAINTEXT://localhost:9092",
    _CONTROLLERS: "CONTROLLER",
    PROTOCOLS: "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
}
"""What apache/kafka runs with where no variable of Kafka's is set at all."""


@dataclass(frozen=True, slots=True)
class Listener:
    """NAME://HOST:PORT."""

    name: str
    host: str
    port: int


def read_listeners(draft: Draft, findings: Findings) -> tuple[ListenerSetting, ...]:
    """The listeners that clients use; controllers' are left out. What Kafka would refuse is found."""
    controllers = _list(draft.text(_CONTROLLERS))
    faults = len(findings.faults)
    bound = [one for one in _parsed(draft, LISTENERS, findings) if one.name not in controllers]
    told = [one for one in _parsed(draft, ADVERTISED, findings) if one.name not in controllers]
    if len(findings.faults) > faults:  # what follows from a listener that cannot be read is no fault of its own
        return ()
    _refuse_twins(draft, LISTENERS if bound else ADVERTISED, bound or told, findings)
    _check_inter_broker(draft, told or bound, findings)
    ports = {one.name: one.port for one in bound or told}
    settings = []
    for one in told:
        if one.host == "0.0.0.0":
            text = f"{ADVERTISED}: no client can connect to 0.0.0.0: write {one.name}://localhost:{one.port}."
            findings.fault(draft.where(ADVERTISED), text)
    for one in told or bound:
        if one.name not in ports:
            hint = did_you_mean(one.name, ports) or f": add {one.name}://0.0.0.0:{one.port} to {LISTENERS}."
            findings.fault(draft.where(ADVERTISED), f"{ADVERTISED} names {one.name}, which {LISTENERS} has not{hint}")
            continue
        protocol = _protocol(draft, one.name, findings)
        host = one.host if one.host not in ("", "0.0.0.0") else draft.names[0]
        settings.append(ListenerSetting(one.name, ports[one.name], host, one.port, protocol))
    return tuple(settings)


def parse_listener(text: str) -> Listener:
    """One listener. Raises ValueError that says what to write.

    >>> parse_listener("PLAINTEXT://broker:29092")
    Listener(name='PLAINTEXT', host='broker', port=29092)
    """
    match = _LISTENER.fullmatch(text)
    if match and 0 < int(match.group(3)) < 65536:
        return Listener(match.group(1), match.group(2).strip("[]"), int(match.group(3)))
    nearly = _NEARLY.fullmatch(text)
    if nearly and ":://" in text:
        raise ValueError(f"{text} has one colon too many: write {nearly[1]}://{nearly[2]}:{nearly[3]}.")
    if nearly and not match:
        raise ValueError(f"{text} is no listener: write {nearly[1]}://{nearly[2]}:{nearly[3]}.")
    raise ValueError(f"{text} is no listener: write NAME://HOST:PORT, as in PLAINTEXT://broker:29092.")


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _parsed(draft: Draft, variable: str, findings: Findings) -> list[Listener]:
    found = []
    for text in _list(draft.text(variable)):
        try:
            found.append(parse_listener(text))
        except ValueError as error:
            findings.fault(draft.where(variable), f"{variable}: {error}")
    return found


def _refuse_twins(draft: Draft, variable: str, listeners: Iterable[Listener], findings: Findings) -> None:
    names: set[str] = set()
    ports: set[int] = set()
    for one in listeners:
        if one.name in names:
            findings.fault(
                draft.where(variable), f"{variable}: {one.name} is there twice: give each a name of its own."
            )
        elif one.port in ports:
            text = f"{variable}: two listeners have port {one.port}: give each a port of its own."
            findings.fault(draft.where(variable), text)
        names.add(one.name)
        ports.add(one.port)


def _check_inter_broker(draft: Draft, told: Iterable[Listener], findings: Findings) -> None:
    wanted, names = draft.text(_INTER_BROKER), [one.name for one in told]
    if wanted and names and wanted not in names:
        hint = did_you_mean(wanted, names) or f": write one of {', '.join(names)}."
        findings.fault(draft.where(_INTER_BROKER), f"{_INTER_BROKER}: {wanted} is not in {ADVERTISED}{hint}")


def _protocol(draft: Draft, name: str, findings: Findings) -> str:
    """The protocol of a listener, by the map, or by its name where there is none."""
    pairs = [part.partition(":") for part in _list(draft.text(PROTOCOLS))]
    protocols = {key.strip(): value.strip() for key, _, value in pairs} or {known: known for known in _KNOWN}
    if name not in protocols:
        if PROTOCOLS in draft.variables:
            text = f"{PROTOCOLS} has no protocol for {name}: add {name}:PLAINTEXT."
        else:
            text = f"{name} is no protocol's name: add {PROTOCOLS}: {name}:PLAINTEXT, and the others."
        findings.fault(draft.where(PROTOCOLS, ADVERTISED), text)
        return "PLAINTEXT"
    protocol = protocols[name]
    if protocol not in _KNOWN:
        hint = did_you_mean(protocol, _KNOWN) or f": write one of {', '.join(_KNOWN)}."
        findings.fault(draft.where(PROTOCOLS), f"{PROTOCOLS}: {protocol or name} is no protocol{hint}")
    return protocol
