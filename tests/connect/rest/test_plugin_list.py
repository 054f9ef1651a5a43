"""What `/connector-plugins` lists."""

from headrace.connect.rest.plugins import listed

JAVA = "org.apache.kafka.connect.transforms."


def test_predicates_and_transformations_are_listed_where_not_only_connectors_are_asked_for() -> None:
    found = {plugin["class"]: plugin["type"] for plugin in listed(connectors_only=False)}
    assert found[f"{JAVA}Filter"] == "transformation"
    for name in ("HasHeaderKey", "RecordIsTombstone", "TopicNameMatches"):
        assert found[f"{JAVA}predicates.{name}"] == "predicate"
    assert {plugin["type"] for plugin in listed(connectors_only=True)} == {"sink", "source"}
