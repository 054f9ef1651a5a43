"""The metadata file: what was written is there after it was opened again."""

from pathlib import Path

from headrace.broker.metadata import MetadataStore, TopicRow, id_text, new_id


def test_topics_and_their_configuration_are_kept(tmp_path: Path) -> None:
    rows = [TopicRow("a", new_id(), 3, {"retention.ms": "5"}), TopicRow("b", new_id(), 1, {})]
    store = MetadataStore(tmp_path)
    for row in rows:
        store.add_topic(row)
    cluster_id = store.cluster_id()
    store.close()
    again = MetadataStore(tmp_path)
    assert again.topics() == rows
    assert again.cluster_id() == cluster_id
    again.close()


def test_a_deleted_topic_is_remembered_until_its_directories_are_gone(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    row = TopicRow("a", new_id(), 3, {"retention.ms": "5"})
    store.add_topic(row)
    store.delete_topic(row.topic_id)
    assert (store.topics(), store.deleted_topics()) == ([], {row.topic_id})
    store.directories_removed(row.topic_id)
    assert store.deleted_topics() == set()
    store.close()


def test_what_changes_of_a_topic_is_kept_and_forgotten_with_it(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    row = TopicRow("a", new_id(), 3, {"retention.ms": "5", "segment.ms": "7"})
    store.add_topic(row)
    store.set_partitions(row.topic_id, 5)
    store.set_topic_configs(row.topic_id, {"retention.ms": "6"})
    store.set_start_offsets({(row.topic_id, 1): 10, (row.topic_id, 2): 20})
    store.set_start_offsets({(row.topic_id, 2): 30})
    assert store.topics() == [TopicRow("a", row.topic_id, 5, {"retention.ms": "6"}, {1: 10, 2: 30})]
    store.delete_topic(row.topic_id)
    store.set_topic_configs(row.topic_id, {"retention.ms": "7"})
    store.add_topic(TopicRow("a", row.topic_id, 1, {}))
    assert store.topics() == [TopicRow("a", row.topic_id, 1, {})]
    store.close()


def test_what_was_set_for_all_brokers_and_for_one_is_kept_apart(tmp_path: Path) -> None:
    store = MetadataStore(tmp_path)
    store.set_broker_configs("", {"message.max.bytes": "5", "log.retention.ms": "6"})
    store.set_broker_configs("1", {"message.max.bytes": "7"})
    store.set_broker_configs("", {"message.max.bytes": "8"})
    store.close()
    again = MetadataStore(tmp_path)
    assert again.broker_configs("") == {"message.max.bytes": "8"}
    assert again.broker_configs("1") == {"message.max.bytes": "7"}
    assert again.broker_configs("2") == {}
    again.close()


def test_no_producer_id_is_given_out_twice_even_after_a_crash(tmp_path: Path) -> None:
    blocks = []
    for _ in range(3):
        store = MetadataStore(tmp_path)
        blocks += [store.take_producer_ids(), store.take_producer_ids()]
        store.close()
    given = [number for block in blocks for number in block]
    assert len(set(given)) == len(given)


def test_ids_are_printed_as_kafka_prints_them() -> None:
    assert all(len(id_text(new_id())) == 22 and not id_text(new_id()).startswith("-") for _ in range(200))
