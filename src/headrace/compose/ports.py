"""`ports:`, its short and its long form, ranges taken apart.

Sans-IO. A port is published where it has a host port, or asks for any free one, which is 0.
"""

import re
from ipaddress import ip_address
from typing import Final

from headrace.compose.nodes import Entries, Node, Scalar
from headrace.compose.plan import PublishedPort

_SHORT: Final = re.compile(
    r"(?:(?:(?P<ip>\[[^\[\]]+\]|[^\[\]/\s]*):)?(?P<host>[\d-]*):)?"
    r"(?P<container>[\d-]+)(?:/(?P<protocol>\w+))?"
)
_PROTOCOLS: Final = ("tcp", "udp", "sctp")


class PortError(ValueError):
    """A port that cannot be read; the text says what to write."""


def parse_port(text: str) -> list[PublishedPort]:
    """The ports of one short form. Raises PortError.

    >>> [(port.host_port, port.container_port) for port in parse_port("127.0.0.1:9000-9001:80-81/tcp")]
    [(9000, 80), (9001, 81)]
    """
    match = _SHORT.fullmatch(text.strip())
    if match is None:
        raise PortError(f"{text!r} is no port: write HOST:CONTAINER, as in 9092:9092, or IP:HOST:CONTAINER")
    containers = _range(match["container"], text)
    hosts = _range(match["host"], text) if match["host"] else [0] * len(containers)
    return _pairs(_address(match["ip"] or "", text), hosts, containers, match["protocol"] or "tcp", text)


def read_port(node: Node) -> list[PublishedPort]:
    """The ports of one item of `ports:`. Raises PortError."""
    if isinstance(node, Scalar):
        return parse_port(node.text)
    if not isinstance(node, Entries):
        raise PortError("a list has no place here: write `- HOST:CONTAINER`")
    fields = {key: value.text for key, value in node.values.items() if isinstance(value, Scalar) and not value.is_null}
    if "target" not in fields:
        raise PortError("target: is missing, the port in the container: add it, as in `target: 9092`")
    containers = _range(fields["target"], fields["target"])
    published = fields.get("published", "")
    hosts = _range(published, published) if published else [0] * len(containers)
    return _pairs(
        _address(fields.get("host_ip", ""), "host_ip"), hosts, containers, fields.get("protocol", "tcp"), published
    )


def port_identity(node: Node) -> object:
    """What makes two items the same port, where files are merged."""
    try:
        return tuple(read_port(node))
    except PortError:
        return id(node)


def _address(text: str, whole: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(bare)) if bare else ""
    except ValueError:
        reason = f"{bare} of {whole!r} is no IP address"
        raise PortError(f"{reason}: write HOST:CONTAINER, or 127.0.0.1:HOST:CONTAINER for this machine alone") from None


def _range(text: str, whole: str) -> list[int]:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise PortError(f"{whole!r} is no port: write HOST:CONTAINER, as in 9092:9092, or a range, as in 9092-9094")
    low, high = int(first), int(last) if dash else int(first)
    if not 0 < low <= high < 65536:
        raise PortError(f"{text} of {whole!r} is no port: write a number from 1 to 65535")
    return list(range(low, high + 1))


def _pairs(ip: str, hosts: list[int], containers: list[int], protocol: str, text: str) -> list[PublishedPort]:
    if protocol.lower() not in _PROTOCOLS:
        raise PortError(f"{protocol} is no protocol: write tcp, or leave it out")
    if len(containers) == 1 and len(hosts) > 1:  # any one of the range: its first will do
        hosts = hosts[:1]
    if len(hosts) != len(containers):
        raise PortError(f"the ranges of {text!r} differ in length: write as many host ports as container ports")
    pairs = zip(hosts, containers, strict=True)
    return [PublishedPort(ip, host, container, protocol.lower()) for host, container in pairs]
