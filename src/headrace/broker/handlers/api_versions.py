"""ApiVersions (API key 18): which APIs at which versions, derived from the table of handlers.

Behaviour: a version not known is answered at version 0 with UNSUPPORTED_VERSION and this API's own range (KIP-511).
From version 3 the client's name and version must be well formed. Produce is reported from 0, as Apache Kafka 4 does,
or librdkafka turns compression off (KAFKA-18659). No features are finalized: none that clients act on is there.
Versions: 0-4. 3 flexible, client's name and version; 4 features whose lowest version is 0 (KAFKA-17011).
Not offered: nothing.
"""

import re
from typing import Final

from headrace.broker.dispatch import API_VERSIONS, HANDLERS, Context, Handler, api
from headrace.broker.outcome import Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import ApiVersionsRequest, ApiVersionsResponse, Message

_SOFTWARE: Final = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


@api(API_VERSIONS, versions=(0, 4))
def handle(request: Message | None, context: Context, state: State) -> Outcome:
    """`request` is None where the version asked for is not known."""
    if request is None:
        return _answer(ErrorCode.UNSUPPORTED_VERSION, [HANDLERS[API_VERSIONS]])
    if context.api_version >= 3 and not _is_well_formed(request):
        return _answer(ErrorCode.INVALID_REQUEST, [])
    return _answer(ErrorCode.NONE, [HANDLERS[key] for key in sorted(HANDLERS)])


def _is_well_formed(request: ApiVersionsRequest) -> bool:
    fields = (request.client_software_name, request.client_software_version)
    return all(_SOFTWARE.fullmatch(field) is not None for field in fields)


def _answer(error: ErrorCode, handlers: list[Handler]) -> Reply:
    keys = [
        ApiVersionsResponse.ApiVersion(api_key=handler.key, min_version=handler.reported_low, max_version=handler.high)
        for handler in handlers
    ]
    return Reply(ApiVersionsResponse(error_code=error, api_keys=keys))
