"""The table of APIs: one file a key, each with its parts, none twice."""

import pytest

from headrace.broker.dispatch import HANDLERS, Handler, api, discover
from headrace.wire import messages

TABLE = discover()


@pytest.mark.parametrize("handler", TABLE.values(), ids=lambda handler: handler.name)
def test_every_handler_says_what_it_does_and_what_not(handler: Handler) -> None:
    for part in ("Behaviour: ", "Versions: ", "Not offered: "):
        assert f"\n{part}" in handler.documentation
    assert f"(API key {handler.key})" in handler.documentation.splitlines()[0]


@pytest.mark.parametrize("handler", TABLE.values(), ids=lambda handler: handler.name)
def test_no_version_is_offered_that_cannot_be_decoded(handler: Handler) -> None:
    low, high = messages.REQUESTS[handler.key].valid_versions
    assert low <= handler.low <= handler.high <= high


def test_a_key_has_one_handler() -> None:
    with pytest.raises(ValueError, match="has two handlers"):
        api(next(iter(HANDLERS)), versions=(0, 0))(lambda request, context, state: None)  # type: ignore[arg-type,return-value]
