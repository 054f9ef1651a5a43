"""A registry without Kafka: changes are planned and folded at once."""

from typing import Any

from headrace.registry import changes
from headrace.registry.catalog import Catalog, Proposal
from headrace.registry.changes import Plan
from headrace.registry.records import Record
from headrace.registry.schema import Schema
from headrace.registry.state import State


def record_of(*fields: str, name: str = "R") -> str:
    """An Avro record; a field is written `name type` or `name type=default`."""
    shown = []
    for field in fields:
        word, _, type_ = field.partition(" ")
        type_, _, default = type_.partition("=")
        more = f',"default":{default}' if default else ""
        shown.append(f'{{"name":"{word}","type":"{type_}"{more}}}')
    return f'{{"type":"record","name":"{name}","fields":[{",".join(shown)}]}}'


class Desk:
    """State, questions to it, and the topic that was written."""

    def __init__(self) -> None:
        self.state = State()
        self.catalog = Catalog(self.state)
        self.topic: list[Record] = []

    def do(self, plan: Plan) -> Any:
        for record in plan.records:
            self.topic.append(record)
            self.state.apply(*record)
        assert plan.holds(self.state)
        return plan.answer

    def register(self, subject: str, text: str, *, normalize: bool = False, **more: Any) -> Schema:
        schema: Schema = self.do(changes.register(self.catalog, Proposal(subject, text, **more), normalize=normalize))
        return schema

    def delete(self, subject: str, version: int | None = None, *, permanent: bool = False) -> Any:
        if version is None:
            return self.do(changes.delete_subject(self.catalog, subject, permanent=permanent))
        return self.do(changes.delete_version(self.catalog, subject, version, permanent=permanent))

    def config(self, subject: str | None, **given: Any) -> Any:
        return self.do(changes.set_config(self.catalog, subject, given))
