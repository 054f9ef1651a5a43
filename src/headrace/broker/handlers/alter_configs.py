"""AlterConfigs (API key 33): replace the configuration of topics and of the broker; what is not named is unset.

Behaviour: each resource is checked by itself, in Apache Kafka's words; what is changed holds at once, and is on the
disk before the answer. Of the broker, the keys that can change while it runs; for all brokers they are set under "".
Versions: 0-2. 2 flexible.
Not offered: the resource types CLIENT_METRICS and GROUP, which are INVALID_REQUEST.
"""

from collections.abc import Mapping

from headrace.broker.alteration import alter, null_fault
from headrace.broker.dispatch import ALTER_CONFIGS, Context, api
from headrace.broker.outcome import Outcome, Refusal
from headrace.broker.state import State
from headrace.wire.messages import AlterConfigsResponse, Message


@api(ALTER_CONFIGS, versions=(0, 2))
def handle(request: Message, context: Context, state: State) -> Outcome:
    return alter(request, state, _replaced, AlterConfigsResponse)


def _replaced(resource: Message, current: Mapping[str, str]) -> dict[str, str] | Refusal:
    fault = null_fault([config.name for config in resource.configs if config.value is None])
    return fault or {config.name: config.value for config in resource.configs}
