"""Whether data written with one Avro schema can be read with another: Java's SchemaCompatibility, with its findings.

Sans-IO. The texts are Confluent's (its class Difference); `%s` stands for "new" and "old".
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from headrace.avro.tree import NO_DEFAULT, Field, Node

_PROMOTIONS: Final = {
    "long": ("int",),
    "float": ("int", "long"),
    "double": ("int", "long", "float"),
    "bytes": ("string",),
    "string": ("bytes",),
}
_TEXTS: Final = {
    "FIXED_SIZE_MISMATCH": "The size of FIXED type field at path '{path}' in the %s schema does not match with the "
    "%s schema",
    "TYPE_MISMATCH": "The type (path '{path}') of a field in the %s schema does not match with the %s schema",
    "NAME_MISMATCH": "The name of the schema has changed (path '{path}')",
    "MISSING_ENUM_SYMBOLS": "The %s schema is missing enum symbols '{info}' at path '{path}' in the %s schema",
    "MISSING_UNION_BRANCH": "The %s schema is missing a type inside a union field at path '{path}' in the %s schema",
    "READER_FIELD_MISSING_DEFAULT_VALUE": "The field '{info}' at path '{path}' in the %s schema has no default value "
    "and is missing in the %s schema",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One reason; `path` is where in the reader's schema."""

    type: str
    path: str
    info: str

    def text(self) -> str:
        info = self.info.replace("%", "%%")
        description = _TEXTS[self.type].format(path=self.path.replace("%", "%%"), info=info)
        return f"{{errorType:'{self.type}', description:'{description}', additionalInfo:'{info}'}}"


Path = tuple[str, ...]


def incompatibilities(reader: Node, writer: Node) -> list[Difference]:
    """Why `reader` cannot read what `writer` wrote; none where it can.

    Raises ValueError where it is not clear which field of the writer is read.
    """
    return list(_Comparison().of(reader, writer, ()))


class _Comparison:
    """Compares each pair of types once; a pair that is being compared is taken for compatible, as in Java."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int], list[Difference]] = {}

    def of(self, reader: Node, writer: Node, path: Path) -> list[Difference]:
        pair = id(reader), id(writer)
        if pair not in self._found:
            self._found[pair] = []
            self._found[pair] = list(self._compare(reader, writer, path))
        return self._found[pair]

    def _compare(self, reader: Node, writer: Node, path: Path) -> Iterator[Difference]:
        if reader.kind == writer.kind:
            yield from self._of_one_kind(reader, writer, path)
        elif writer.kind == "union":
            for branch in writer.branches:
                yield from self.of(reader, branch, path)
        elif reader.kind == "union":
            if not any(not self.of(branch, writer, path) for branch in reader.branches):
                yield _missing_branch(writer, path)
        elif writer.kind not in _PROMOTIONS.get(reader.kind, ()):
            info = f"reader type: {reader.kind.upper()} not compatible with writer type: {writer.kind.upper()}"
            yield _difference("TYPE_MISMATCH", path, info)

    def _of_one_kind(self, reader: Node, writer: Node, path: Path) -> Iterator[Difference]:
        if reader.name and reader.simple_name != writer.simple_name:
            yield _difference("NAME_MISMATCH", (*path, "name"), f"expected: {writer.name}")
        match reader.kind:
            case "array" | "map":
                assert reader.inner is not None and writer.inner is not None
                step = "items" if reader.kind == "array" else "values"
                yield from self.of(reader.inner, writer.inner, (*path, step))
            case "fixed" if reader.size != writer.size:
                info = f"expected: {writer.size}, found: {reader.size}"
                yield _difference("FIXED_SIZE_MISMATCH", (*path, "size"), info)
            case "enum":
                missing = sorted(set(writer.symbols) - set(reader.symbols))
                if missing and reader.enum_default is None:
                    yield _difference("MISSING_ENUM_SYMBOLS", (*path, "symbols"), f"[{', '.join(missing)}]")
            case "record" | "error":
                yield from self._fields(reader, writer, (*path, "fields"))
            case "union":
                for number, branch in enumerate(writer.branches):
                    if self.of(reader, branch, path):
                        yield _missing_branch(branch, (*path, str(number)))
            case _:
                pass

    def _fields(self, reader: Node, writer: Node, path: Path) -> Iterator[Difference]:
        for number, field in enumerate(reader.fields):
            written = _written(field, writer)
            if written is not None:
                yield from self.of(field.type, written.type, (*path, str(number), "type"))
            elif field.default is NO_DEFAULT and field.type.enum_default is not None:
                # As in Java: an enum with a default of its own is held against the whole record.
                yield from self.of(field.type, writer, (*path, str(number), "type"))
            elif field.default is NO_DEFAULT:
                yield _difference("READER_FIELD_MISSING_DEFAULT_VALUE", (*path, str(number)), field.name)


def _written(field: Field, writer: Node) -> Field | None:
    """The writer's field that a reader's field reads: of its name, or of one of its aliases.

    Raises ValueError where there are several; as in Java an alias that is the field's own name counts as another.
    """
    names = (field.name, *dict.fromkeys(field.aliases))
    found = [each for name in names for each in writer.fields if each.name == name]
    if len(found) > 1:
        raise ValueError(
            f"Reader record field {field.name} matches multiple fields in writer record schema {writer.name}: "
            f"{', '.join(each.name for each in found)}"
        )
    return found[0] if found else None


def _missing_branch(writer: Node, path: Path) -> Difference:
    return _difference("MISSING_UNION_BRANCH", path, f"reader union lacking writer type: {writer.kind.upper()}")


def _difference(kind: str, path: Path, info: str) -> Difference:
    return Difference(kind, "/" + "/".join(step.replace("~", "~0").replace("/", "~1") for step in path), info)
