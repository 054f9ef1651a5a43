"""What Java's clients call the errors of the protocol: class and sentence, as Kafka's tools print them. Sans-IO."""

_PACKAGE = "org.apache.kafka.common.errors"
UNKNOWN_TOPIC_OR_PARTITION = 3
GROUP_ID_NOT_FOUND = 69

_ERRORS = {
    UNKNOWN_TOPIC_OR_PARTITION: (
        "UnknownTopicOrPartitionException",
        "This server does not host this topic-partition.",
    ),
    24: ("InvalidGroupIdException", "The group id is invalid."),
    25: (
        "UnknownMemberIdException",
        "The coordinator is not aware of this member.",
    ),
    29: ("TopicAuthorizationException", "Topic authorization failed."),
    30: ("GroupAuthorizationException", "Group authorization failed."),
    31: ("ClusterAuthorizationException", "Cluster authorization failed."),
    68: ("GroupNotEmptyException", "The group is not empty."),
    GROUP_ID_NOT_FOUND: ("GroupIdNotFoundException", "The group id does not exist."),
    86: (
        "GroupSubscribedToTopicException",
        "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.",
    ),
}


def sentence(code: int, told: str) -> str:
    """Java's sentence for `code`; `told`, which is the broker's or the client's own, where we have none."""
    return _ERRORS[code][1] if code in _ERRORS else told


def exception(code: int, told: str) -> str:
    """Class and sentence, as Java prints an exception."""
    name = _ERRORS[code][0] if code in _ERRORS else "UnknownServerException" if code >= 0 else "TimeoutException"
    return f"{_PACKAGE}.{name}: {sentence(code, told)}"
