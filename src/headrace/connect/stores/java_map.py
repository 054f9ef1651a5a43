"""A `HashMap<byte[], byte[]>` in Java's serialization, as standalone workers keep offsets in a file. Sans-IO.

Read: what `ObjectOutputStream` makes of such a map, back references and nulls included. Written: the same bytes that
Java writes for the entries in this order (Java's own order is that of the arrays' addresses, so any is right).
Grammar and names: Java Object Serialization Specification, chapter 6.
"""

import struct
from collections.abc import Iterator, Mapping
from typing import Final, NoReturn

Entries = dict[bytes, bytes | None]

_HEADER: Final = b"\xac\xed\x00\x05"
_NULL, _REFERENCE, _CLASS, _OBJECT, _ARRAY, _BLOCK, _END = 0x70, 0x71, 0x72, 0x73, 0x75, 0x77, 0x78
_FIRST_HANDLE: Final = 0x7E0000

_MAP_CLASS: Final = (
    b"\x72\x00\x11java.util.HashMap\x05\x07\xda\xc1\xc3\x16\x60\xd1\x03\x00\x02F\x00\x0aloadFactorI\x00\x09thresholdxp"
)
_BYTES_CLASS: Final = b"\x72\x00\x02[B\xac\xf3\x17\xf8\x06\x08\x54\xe0\x02\x00\x00xp"
_BYTES_CLASS_HANDLE: Final = _FIRST_HANDLE + 2
"""The map's class is the first thing that gets a handle, the map itself the second."""


class NotAMap(ValueError):
    """The bytes are something else; the text says what."""


def dump(entries: Mapping[bytes, bytes | None]) -> bytes:
    """The bytes of the map.

    >>> load(dump({b"k": b"v", b"reset": None}))
    {b'k': b'v', b'reset': None}
    """
    # A map made by put(): 16 buckets, doubled whenever it is three quarters full.
    buckets = 16
    while len(entries) > buckets * 3 // 4:
        buckets *= 2
    threshold = buckets * 3 // 4 if entries else 0
    head = struct.pack(">fI", 0.75, threshold) + struct.pack(">BBII", _BLOCK, 8, buckets, len(entries))
    return b"".join([_HEADER, bytes([_OBJECT]), _MAP_CLASS, head, *_arrays(entries), bytes([_END])])


def _arrays(entries: Mapping[bytes, bytes | None]) -> Iterator[bytes]:
    known = False
    for array in (part for entry in entries.items() for part in entry):
        if array is None:
            yield bytes([_NULL])
            continue
        described = struct.pack(">BI", _REFERENCE, _BYTES_CLASS_HANDLE) if known else _BYTES_CLASS
        yield bytes([_ARRAY]) + described + struct.pack(">I", len(array)) + array
        known = True


def load(data: bytes) -> Entries:
    """The map in some bytes. Raises EOFError where they end too early, NotAMap where they are something else."""
    return _Reader(data).map()


class _Reader:
    """Reads one map; `_handles` are the classes and arrays that later bytes may refer to."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._handles: list[object] = []

    def map(self) -> Entries:
        if self._take(4) != _HEADER:
            raise NotAMap("it is no file of Java's serialization")
        self._expect(_OBJECT, "an object")
        name = self._class()
        if name != "java.util.HashMap":
            raise NotAMap(f"expected HashMap but found {name}")
        self._handles.append(None)
        self._take(8)  # load factor and threshold
        self._expect(_BLOCK, "the map's size")
        if self._byte() != 8:
            self._refuse("something else than the map's buckets and size")
        count = struct.unpack(">II", self._take(8))[1]
        found: Entries = {}
        for _ in range(count):
            key, value = self._array(), self._array()
            if key is not None:
                found[key] = value
        self._expect(_END, "the map's end")
        return found

    def _array(self) -> bytes | None:
        tag = self._byte()
        if tag == _NULL:
            return None
        if tag == _REFERENCE:
            again = self._handle()
            return again if isinstance(again, bytes) else self._refuse("a reference to no array of bytes")
        if tag != _ARRAY:
            self._refuse(f"an entry with the tag 0x{tag:02x}, which is no array of bytes")
        name = self._class()
        if name != "[B":
            self._refuse(f"an entry of {name}, which is no array of bytes")
        slot = len(self._handles)
        self._handles.append(None)
        array = self._take(self._number(">I"))
        self._handles[slot] = array
        return array

    def _class(self) -> str:
        """The name of a class, described here or before."""
        tag = self._byte()
        if tag == _REFERENCE:
            name = self._handle()
            return name if isinstance(name, str) else self._refuse("a reference to no class")
        if tag != _CLASS:
            self._refuse(f"the tag 0x{tag:02x} where a class was expected")
        name = self._text()
        self._take(8)  # serialVersionUID
        self._handles.append(name)
        self._take(1)
        for _ in range(self._number(">H")):
            self._field()
        self._expect(_END, f"the end of the class {name}")
        self._expect(_NULL, f"no class above {name}")
        return name

    def _field(self) -> None:
        kind = chr(self._byte())
        field = self._text()
        if kind in "[L":
            self._refuse(f"a field {field} that is an object")

    def _handle(self) -> object:
        number = self._number(">I") - _FIRST_HANDLE
        if not 0 <= number < len(self._handles):
            self._refuse("a reference to nothing")
        return self._handles[number]

    def _text(self) -> str:
        return self._take(self._number(">H")).decode("utf-8", "replace")

    def _number(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _byte(self) -> int:
        return self._take(1)[0]

    def _expect(self, tag: int, what: str) -> None:
        found = self._byte()
        if found != tag:
            self._refuse(f"the tag 0x{found:02x} where {what} was expected")

    def _refuse(self, what: str) -> NoReturn:
        raise NotAMap(f"byte {self._at}: {what}")

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise EOFError(f"the bytes end at {len(self._data)}")
        self._at += count
        return taken
