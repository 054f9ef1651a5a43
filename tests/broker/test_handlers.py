"""Every handler says what it does in the same parts, and registers what it says."""

import re

import pytest

from headrace.broker.dispatch import Handler, discover
from headrace.wire.messages import REQUESTS

HANDLERS = list(discover().values())
pytestmark = pytest.mark.parametrize("handler", HANDLERS, ids=[one.name for one in HANDLERS])


def test_its_documentation_has_the_parts_that_readers_look_for(handler: Handler) -> None:
    parts = re.findall(r"^(Behaviour|Versions|Not offered): ", handler.documentation, re.MULTILINE)
    assert parts == ["Behaviour", "Versions", "Not offered"]
    assert f"(API key {handler.key})" in handler.documentation.splitlines()[0]


def test_the_versions_it_documents_are_those_it_registers(handler: Handler) -> None:
    found = re.search(r"^Versions: (\d+)(?:-(\d+))?", handler.documentation, re.MULTILINE)
    assert found is not None
    low, high = found.groups()
    assert (int(low), int(high or low)) == (handler.low, handler.high)


def test_the_codec_reads_every_version_that_is_offered(handler: Handler) -> None:
    assert handler.reported_low <= handler.low <= handler.high <= REQUESTS[handler.key].max_version
