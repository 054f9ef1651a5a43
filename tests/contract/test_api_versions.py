"""ApiVersions (key 18): what the broker offers, and at which versions."""

import struct

from kafka.protocol.metadata import ApiVersionsRequest, ApiVersionsResponse

from tests.contract.wire_client import WireClient

# As Apache Kafka 4.3.1 answers; the test holds the real one to it as well.
APACHE_KAFKA: dict[int, tuple[int, int]] = {
    0: (0, 13),
    1: (4, 18),
    2: (1, 11),
    3: (0, 13),
    8: (2, 10),
    9: (1, 10),
    10: (0, 6),
    11: (0, 9),
    12: (0, 4),
    13: (0, 5),
    14: (0, 5),
    15: (0, 6),
    16: (0, 5),
    17: (0, 1),
    18: (0, 4),
    19: (2, 7),
    20: (1, 6),
    21: (0, 2),
    22: (0, 5),
    23: (2, 4),
    24: (0, 5),
    25: (0, 4),
    26: (0, 5),
    27: (1, 2),
    28: (0, 5),
    29: (1, 3),
    30: (1, 3),
    31: (1, 3),
    32: (1, 4),
    33: (0, 2),
    34: (1, 2),
    35: (1, 5),
    36: (0, 2),
    37: (0, 3),
    38: (1, 3),
    39: (1, 2),
    40: (1, 2),
    41: (1, 3),
    42: (0, 2),
    43: (0, 2),
    44: (0, 1),
    45: (0, 1),
    46: (0, 0),
    47: (0, 0),
    48: (0, 1),
    49: (0, 1),
    50: (0, 0),
    51: (0, 0),
    55: (0, 2),
    57: (0, 2),
    60: (0, 2),
    61: (0, 0),
    64: (0, 0),
    65: (0, 0),
    66: (0, 2),
    68: (0, 1),
    69: (0, 1),
    74: (0, 1),
    75: (0, 0),
    76: (1, 1),
    77: (1, 1),
    78: (1, 2),
    79: (1, 2),
    80: (0, 1),
    81: (0, 0),
    83: (0, 0),
    84: (0, 0),
    85: (0, 1),
    86: (0, 0),
    87: (0, 1),
    88: (0, 0),
    89: (0, 0),
    90: (0, 1),
    91: (0, 0),
    92: (0, 0),
}

# What a client needs to produce, consume and join a group.
ESSENTIAL = {0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20, 21, 22, 23, 32, 33, 35, 37, 42, 44, 47, 60, 75}

UNSUPPORTED_VERSION = 35
INVALID_REQUEST = 42


def _ranges(answer: ApiVersionsResponse) -> dict[int, tuple[int, int]]:
    return {key.api_key: (key.min_version, key.max_version) for key in answer.api_keys}


def test_every_offered_key_has_apache_kafkas_versions(wire: WireClient) -> None:
    answer = wire.call(ApiVersionsRequest(client_software_name="contract", client_software_version="1"), 4)
    offered = _ranges(answer)
    assert answer.error_code == 0
    assert offered.items() <= APACHE_KAFKA.items()
    assert offered.keys() >= ESSENTIAL


def test_every_version_of_the_request_gets_the_same_table(wire: WireClient) -> None:
    named = {"client_software_name": "contract", "client_software_version": "1"}
    tables = [
        _ranges(wire.call(ApiVersionsRequest(**(named if version >= 3 else {})), version)) for version in range(5)
    ]
    assert tables[0] == tables[1] == tables[2] == tables[3] == tables[4]


def test_a_version_that_is_not_known_is_answered_at_version_0_with_the_supported_range(wire: WireClient) -> None:
    wire.send_frame(struct.pack(">hhih", 18, 99, 7, -1) + b"\x00\x00\x00\x00")
    frame = wire.receive_frame()
    assert frame[:4] == struct.pack(">i", 7)
    answer = ApiVersionsResponse.decode(frame[4:], version=0)
    assert answer.error_code == UNSUPPORTED_VERSION
    assert _ranges(answer) == {18: (0, 4)}


def test_a_client_name_with_blanks_is_an_invalid_request(wire: WireClient) -> None:
    wire.post(ApiVersionsRequest(client_software_name="a b", client_software_version="1"), 3)
    correlation_id, error_code, *rest = struct.unpack(">ihBiB", wire.receive_frame())
    assert (correlation_id, error_code) == (1, INVALID_REQUEST)
    assert rest == [1, 0, 0]  # no keys, no throttling, no tags
