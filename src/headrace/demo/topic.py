"""How many records the demo's topic holds, asked of the broker by a client."""

from confluent_kafka import OFFSET_INVALID, Consumer, KafkaException, TopicPartition

from headrace.demo.connectors import TOPIC

TIMEOUT_S = 2.0


class TopicOffset:
    """The demo's topic has one partition; its records are those between its first and its last offset."""

    def __init__(self, bootstrap: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "headrace-demo",
                "allow.auto.create.topics": False,
                "log_level": 0,
            }
        )
        self._last = 0

    def records(self) -> int:
        """The records now; what was seen last where the topic does not exist yet or the broker does not answer."""
        try:
            low, high = self._consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=TIMEOUT_S)
        except KafkaException:
            return self._last
        if low != OFFSET_INVALID and high != OFFSET_INVALID:
            self._last = high - low
        return self._last

    def close(self) -> None:
        self._consumer.close()
