"""InitProducerId (API key 22): a producer id for an idempotent producer.

Behaviour: every request without a transactional id gets a new id, epoch 0.
Versions: 0-5. 2 flexible; 3 the producer's current id and epoch (KIP-360); 4-5 error codes (KIP-588, KIP-890).
Not offered: transactional ids, until there are transactions: refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which
every client takes as fatal, so that none retries for ever.
"""

from headrace.broker.dispatch import INIT_PRODUCER_ID, Context, api
from headrace.broker.outcome import Later, Outcome, Reply
from headrace.broker.state import State
from headrace.wire.errors import ErrorCode
from headrace.wire.messages import InitProducerIdResponse, Message


@api(INIT_PRODUCER_ID, versions=(0, 5))
def handle(request: Message, context: Context, state: State) -> Outcome:
    if request.transactional_id is not None:
        is_empty = request.transactional_id == ""
        return _answer(ErrorCode.INVALID_REQUEST if is_empty else ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    if context.api_version >= 3 and (request.producer_id == -1) != (request.producer_epoch == -1):
        return _answer(ErrorCode.INVALID_REQUEST)
    later = Later()
    state.producer_id(
        lambda given: later.answer(
            _answer(ErrorCode.COORDINATOR_NOT_AVAILABLE) if given is None else _answer(ErrorCode.NONE, given, 0)
        )
    )
    return later


def _answer(error: ErrorCode, producer_id: int = -1, epoch: int = -1) -> Reply:
    return Reply(InitProducerIdResponse(error_code=error, producer_id=producer_id, producer_epoch=epoch))
