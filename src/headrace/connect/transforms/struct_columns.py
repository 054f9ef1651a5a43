"""Columns of structs, taken apart and put together again over the same memory."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from headrace.connect.api import ConnectSchema, to_column
from headrace.connect.transforms.requirements import required_null


def child_of(column: pa.StructArray, index: int) -> pa.Array:
    """The values of one field, null where the struct is."""
    return pc.struct_field(column, [index]) if column.null_count else column.field(index)


def rebuilt(names: Sequence[str], children: Sequence[pa.Array], column: pa.StructArray) -> pa.StructArray:
    """A column of structs of these children, null where `column` is."""
    kind = pa.struct([pa.field(name, child.type) for name, child in zip(names, children, strict=True)])
    if not children:
        valid = column.is_valid()
        bits = valid.buffers()[1] if column.null_count else None
        return pa.Array.from_buffers(kind, len(column), [bits], offset=valid.offset)
    mask = column.is_null() if column.null_count else None
    return pa.StructArray.from_arrays(children, fields=list(kind), mask=mask)


def with_default(schema: ConnectSchema, column: pa.Array) -> pa.Array | None:
    """The column with the schema's default where it is null; None where Arrow does not hold the default."""
    if schema.default is None or not column.null_count:
        return column
    default = to_column(schema, [schema.default])
    if not isinstance(default, pa.Array) or default.type != column.type:
        return None
    if not pa.types.is_nested(column.type):
        return column.fill_null(default[0])
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    rows = np.where(valid, np.arange(len(column)), len(column))
    return pa.concat_arrays([column, default]).take(pa.array(rows))


def check_nulls(name: str, schema: ConnectSchema, child: pa.Array, parent: pa.StructArray) -> None:
    """Raises DataError where a field that is not optional is null in a struct that is not."""
    if schema.optional or not child.null_count:
        return
    absent = pc.and_(child.is_null(), parent.is_valid()) if parent.null_count else child.is_null()
    if absent.true_count:
        raise required_null(name, schema)


def masked(child: pa.Array, parent: pa.StructArray) -> pa.Array:
    """The child, null where the parent is, over the same memory."""
    return child_of(rebuilt([""], [child], parent), 0) if parent.null_count else child
