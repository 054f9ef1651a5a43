import pytest

from headrace.connect.api import Batch, Header, SchemaType, schema
from headrace.connect.api.shared_headers import MOST
from headrace.connect.predicates.has_header_key import HasHeaderKey


def row(*names: str) -> tuple[Header, ...]:
    return tuple(Header(name, schema(SchemaType.INT32), 1) for name in names)


@pytest.mark.parametrize("distinct", [2, MOST + 2])
def test_a_batch_is_answered_as_its_records_are(distinct: int) -> None:
    predicate = HasHeaderKey()
    predicate.configure({"name": "odd"})
    kinds = [row("even", "odd") if number % 2 else row("even")[: number % 4] for number in range(distinct)]
    batch = Batch("t", 5 * distinct, headers=tuple(kinds * 5))
    answers = predicate.test_batch(batch)
    answers.validate(full=True)
    assert answers.to_pylist() == [number % 2 == 1 for number in range(distinct)] * 5
    assert answers.to_pylist() == [predicate.test(record) for record in batch.records()]
