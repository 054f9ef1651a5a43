"""Transformations that come with Headrace, and what to say where a name is none of them."""


def unknown_transform(name: str) -> str:
    """The sentence for a `transforms.<alias>.type` that no plug-in has.

    >>> unknown_transform("org.apache.kafka.connect.transforms.TimestampConverter")
    'there is no transformation org.apache.kafka.connect.transforms.TimestampConverter: did you mean \
org.apache.kafka.connect.transforms.TimestampConverter$Value (or $Key)? an unquoted heredoc drops $Value'
    """
    sentence = f"there is no transformation {name}"
    if name.startswith("org.apache.kafka.connect.transforms.") and "$" not in name:
        return f"{sentence}: did you mean {name}$Value (or $Key)? an unquoted heredoc drops $Value"
    return sentence
