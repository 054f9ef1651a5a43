"""The offsets of a connector, as REST shows and changes them (KIP-875).

Those of a source are in the offset topic, those of a sink are its consumer group's.

Called by any thread. A sink's group is asked in another thread than the herder's, since a broker may keep it waiting.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from headrace.connect.runtime.connector_requests import connector_type
from headrace.connect.runtime.errors import BadRequest, NotFound, RequestError
from headrace.connect.runtime.herder import Herder
from headrace.connect.stores.config import TargetState
from headrace.kafka_client.settings import librdkafka_log

Partition = dict[str, Any]
Offset = dict[str, Any] | None
WAIT_S: Final = 30.0


class OffsetRequests:
    """The requests; `client` are librdkafka's settings."""

    def __init__(self, herder: Herder, client: Mapping[str, Any]) -> None:
        self._herder = herder
        self._client = {**client, "logger": librdkafka_log}

    def read(self, connector: str) -> "Future[dict[str, Any]]":
        """The offsets that a connector has committed."""

        def work(result: "Future[dict[str, Any]]") -> None:
            if self._is_sink(connector):
                self._herder.aside(result, lambda: self._read_group(connector), lambda found: end(result, found))
            else:
                self._herder.aside(
                    result,
                    lambda: self._herder.stores.read_to_end("offset"),
                    lambda _: end(result, self._read_source(connector)),
                )

        def end(result: "Future[dict[str, Any]]", found: Sequence[tuple[Partition, Offset]]) -> None:
            result.set_result({"offsets": [{"partition": each, "offset": offset} for each, offset in found]})

        return self._herder.submit(work)

    def alter(self, connector: str, offsets: Sequence[tuple[Partition, Offset]]) -> "Future[dict[str, str]]":
        """Set offsets, None to reset one. The connector must be stopped."""
        if not offsets:
            raise BadRequest("Partitions / offsets need to be provided for an alter offsets request")
        return self._change(connector, offsets, "altered")

    def reset(self, connector: str) -> "Future[dict[str, str]]":
        """Forget all offsets. The connector must be stopped."""
        return self._change(connector, None, "reset")

    def _change(
        self, connector: str, offsets: Sequence[tuple[Partition, Offset]] | None, done: str
    ) -> "Future[dict[str, str]]":
        message = {"message": f"The offsets for this connector have been {done} successfully"}

        def work(result: "Future[dict[str, str]]") -> None:
            sink = self._is_sink(connector)
            self._require_stopped(connector)
            if sink:
                change = _group_offsets(offsets)
                self._herder.aside(
                    result, lambda: self._change_group(connector, change), lambda _: result.set_result(message)
                )
                return
            self._herder.stores.fold()
            if offsets is None:
                given = [(partition, None) for partition, _ in self._read_source(connector)]
                self._herder.write(lambda: self._herder.stores.write_offsets(connector, given))
            else:
                self._herder.write(lambda: self._herder.stores.write_offsets(connector, offsets))
            result.set_result(message)

        return self._herder.submit(work)

    def _is_sink(self, connector: str) -> bool:
        config = self._herder.stores.config.connectors.get(connector)
        if config is None:
            raise NotFound(f"Connector {connector} not found")
        return connector_type(config.get("connector.class", "")) == "sink"

    def _require_stopped(self, connector: str) -> None:
        state = self._herder.stores.config
        if state.target_state(connector) is not TargetState.STOPPED or state.task_counts.get(connector, 0):
            raise BadRequest(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for "
                f"the specified connector by issuing a 'PUT' request to the '/connectors/{connector}/stop' endpoint"
            )

    def _read_source(self, connector: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        self._herder.stores.fold()
        return self._herder.stores.offset.of_connector(connector)

    # In the other thread.

    def _admin(self) -> AdminClient:
        return AdminClient(self._client)

    def _read_group(self, connector: str) -> list[tuple[Partition, Offset]]:
        group = f"connect-{connector}"
        admin = self._admin()
        try:
            answer = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(WAIT_S)
        except KafkaException as error:
            raise RequestError(f"The offsets of the group {group} could not be read: {error.args[0].str()}") from error
        return [
            ({"kafka_partition": each.partition, "kafka_topic": each.topic}, {"kafka_offset": each.offset})
            for each in answer.topic_partitions
            if each.offset >= 0
        ]

    def _change_group(self, connector: str, offsets: list[TopicPartition] | None) -> None:
        group = f"connect-{connector}"
        admin = self._admin()
        try:
            if offsets is None:
                admin.delete_consumer_groups([group])[group].result(WAIT_S)
            else:
                wanted = ConsumerGroupTopicPartitions(group, offsets)
                admin.alter_consumer_group_offsets([wanted])[group].result(WAIT_S)
        except KafkaException as error:
            code = error.args[0].code()
            if offsets is None and code == KafkaError.GROUP_ID_NOT_FOUND:
                return
            text = f"The offsets of the group {group} could not be changed: {error.args[0].str()}"
            if code in (KafkaError.NON_EMPTY_GROUP, KafkaError.UNKNOWN_MEMBER_ID):
                text += ". A task of it has not ended yet: try again in a few seconds"
            raise RequestError(text) from error


def _group_offsets(offsets: Sequence[tuple[Partition, Offset]] | None) -> list[TopicPartition] | None:
    """The offsets of a sink as the admin client wants them. Raises BadRequest that names what is wrong."""
    if offsets is None:
        return None
    found = []
    for partition, offset in offsets:
        try:
            topic, number = str(partition["kafka_topic"]), int(partition["kafka_partition"])
            if offset is None:
                raise BadRequest(
                    f"The offset of {topic}-{number} is null; one partition of a sink cannot be reset alone: "
                    "DELETE resets all"
                )
            found.append(TopicPartition(topic, number, int(offset["kafka_offset"])))
        except (KeyError, TypeError, ValueError) as error:
            raise BadRequest(
                "The partition of a sink's offset is {kafka_topic, kafka_partition} and its offset is {kafka_offset}; "
                f"found {partition} and {offset}"
            ) from error
    return found
