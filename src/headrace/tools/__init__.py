"""Kafka's command line tools: one module a tool, and what they share.

Option names, descriptions, sentences, streams and exit statuses are those of Apache Kafka 4.3.1's own tools; what
differs is listed in docs/tools.md. Each module has `main(argv) -> int` and imports its client library when it needs
it: a refused command line answers without one.
"""

# What `headrace --help` says of each; the module of `kafka-topics` is `headrace.tools.kafka_topics`.
TOOLS = {
    "kafka-configs": "Describe and change the configs of topics and brokers, with Kafka's own options.",
    "kafka-console-consumer": "Print the messages of topics, with Kafka's own options.",
    "kafka-console-producer": "Send lines of standard input to a topic, with Kafka's own options.",
    "kafka-consumer-groups": "List, describe, delete and reset consumer groups, with Kafka's own options.",
    "kafka-topics": "Create, list, describe, alter and delete topics, with Kafka's own options.",
}


def module_of(tool: str) -> str:
    """The module that holds `tool`'s `main`."""
    return f"{__name__}.{tool.replace('-', '_')}"
