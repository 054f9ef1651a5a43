"""Topics that tasks write to: whether one is there, and its creation as the connector asks for it."""

from collections.abc import Mapping
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from headrace.config import ConfigError
from headrace.connect.api import ConnectError, RetriableError
from headrace.connect.runtime.topic_creation import NewTopicSettings
from headrace.kafka_client.settings import librdkafka_log, translate

METADATA_S: Final = 10.0

_PRODUCER_ONLY: Final = frozenset(
    ("linger.ms", "batch.size", "compression.type", "buffer.memory", "max.request.size", "acks", "retries",
     "max.in.flight.requests.per.connection", "enable.idempotence", "delivery.timeout.ms", "max.block.ms",
     "compression.gzip.level", "compression.lz4.level", "compression.zstd.level", "partitioner.class",
     "key.serializer", "value.serializer", "transactional.id")
)  # fmt: skip


class TopicAdmin:
    """Makes an admin client when one is needed: a topic is looked up and created once."""

    def __init__(self, java_settings: Mapping[str, str]) -> None:
        self.bootstrap = java_settings.get("bootstrap.servers", "")
        self._settings = translate("admin", {k: v for k, v in java_settings.items() if k not in _PRODUCER_ONLY})

    def _client(self) -> AdminClient:
        return make_client(AdminClient, self._settings, "admin client")

    def exists(self, topic: str) -> bool:
        """Whether the topic is there. All topics are listed: asking for one would make the broker create it."""
        try:
            return topic in self._client().list_topics(timeout=METADATA_S).topics
        except KafkaException as error:
            raise RetriableError(f"No metadata from {self.bootstrap}: {error.args[0].str()}") from error

    def create_topic(self, topic: str, settings: NewTopicSettings) -> bool:
        """Create a topic; False where it is there already. Raises ConnectError that says what to set."""
        admin = self._client()
        wanted = NewTopic(topic, settings.partitions, settings.replication_factor, config=dict(settings.configs))
        try:
            admin.create_topics([wanted], request_timeout=30)[topic].result(40)
        except KafkaException as error:
            cause = error.args[0]
            if cause.code() == KafkaError.TOPIC_ALREADY_EXISTS:
                return False
            raise ConnectError(_refused_topic(topic, settings, cause)) from error
        return True


def make_client(client: Any, settings: Mapping[str, Any], noun: str) -> Any:
    """A client of librdkafka. Raises ConfigError with its words where a setting will not do."""
    try:
        return client(dict(settings), logger=librdkafka_log)
    except (KafkaException, TypeError, ValueError) as error:
        cause = error.args[0] if error.args else error
        text = cause.str() if isinstance(cause, KafkaError) else str(cause)
        raise ConfigError(f"The {noun} cannot be made of its settings: {text}") from error


def _refused_topic(topic: str, settings: NewTopicSettings, cause: KafkaError) -> str:
    group = f" (group {settings.group})" if settings.group else ""
    text = f"Topic {topic} could not be created{group}: {cause.str()}"
    if cause.code() == KafkaError.INVALID_REPLICATION_FACTOR:
        text += f". Set {settings.replication_key} to 1 or -1 (it is {settings.replication_factor})"
    return text
