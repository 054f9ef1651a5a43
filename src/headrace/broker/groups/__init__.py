"""The group coordinator: who belongs to a group, who leads it, and what it has committed.

Sans-IO: requests come as values, answers go through a callable, time and new ids come from ports handed in, records go
to a journal. The classic protocol is Apache Kafka's (`ClassicGroup`, `GroupMetadataManager`, `OffsetMetadataManager`);
`__consumer_offsets` is its only memory, and its state a fold over that topic. `wiring` puts it into the broker.
"""

from headrace.broker.groups.wiring import plug

__all__ = ["plug"]
