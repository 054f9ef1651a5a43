"""Every type of PostgreSQL with values that are hard to carry, and what becomes of them from table to table."""

from dataclasses import dataclass
from typing import Final

EQUAL, REFUSED = "equal", "refused"


@dataclass(frozen=True, slots=True)
class Case:
    """`type` as in DDL; `values` as SQL expressions; `kind`: the Connect type by default; `made`: the column that the
    sink makes by `auto.create`.

    `default` and `iso` say what becomes of the values without settings, and with
    timestamp.granularity=micros_iso_datetime_string: EQUAL, REFUSED (an error that names the column), or the value
    they become. `back`: the expression by which a column that was made is compared, where a cast does not do.
    """

    type: str
    values: tuple[str, ...]
    kind: str = "STRING"
    made: str = "text"
    default: str = EQUAL
    iso: str = EQUAL
    what: str = ""
    back: str = ""

    def outcome(self, profile: str) -> str:
        return {"default": self.default, "iso": self.iso}.get(profile, EQUAL)


def case(type: str, *values: str, **more: str) -> Case:
    return Case(type, values, **more)  # type: ignore[arg-type]


def _time(type: str, *values: str, **more: str) -> Case:
    return case(type, *values, kind="Timestamp", made="timestamp without time zone", **more)


USER_TYPES: Final = (
    "CREATE TYPE mood AS ENUM ('happy', 'sad'); CREATE TYPE pair AS (a int, b text);"
    "CREATE DOMAIN positive AS int CHECK (VALUE > 0); CREATE DOMAIN price AS numeric(8,2);"
    "CREATE DOMAIN moods AS mood[]; CREATE TYPE floatrange AS RANGE (subtype = float8);"
)
FLOATS: Final = ("'NaN'", "'Infinity'", "'-Infinity'", "'-0'", "0.1")

NUMBERS: Final = [
    case("boolean", "true", "false", kind="BOOLEAN", made="boolean"),
    case("smallint", "-32768", "32767", kind="INT16", made="smallint"),
    case("integer", "-2147483648", "2147483647", kind="INT32", made="integer"),
    case("bigint", "-9223372036854775808", "9223372036854775807", kind="INT64", made="bigint"),
    case("oid", "4294967295", kind="INT64", made="bigint"),
    case("real", *FLOATS, "1.17549435e-38", "3.4028235e38", kind="FLOAT32", made="real"),
    case(
        "double precision",
        *(*FLOATS, "5e-324", "1.7976931348623157e308"),
        kind="FLOAT64",
        made="double precision",
    ),
    case("numeric(10,2)", "12345678.90", "-0.01", "0", kind="Decimal", made="numeric(10,2)"),
    case("numeric(38,0)", f"'{'9' * 38}'", kind="Decimal", made="numeric(38,0)"),
    case("numeric(60,30)", f"'-{'9' * 30}.{'9' * 30}'", kind="Decimal", made="numeric(60,30)"),
    case("numeric(90,5)", "1.00001", kind="Decimal", made="numeric(90,5)"),
    case("numeric(5,-2)", "1234567", kind="Decimal", made="numeric"),
    case("numeric(3,5)", "0.00999", kind="Decimal", made="numeric"),
    case("numeric(10,3)", "'NaN'", kind="Decimal", default=REFUSED, iso=REFUSED, what="`NaN`"),
    case("numeric", "0.1000", "'NaN'", "'Infinity'", "'-Infinity'", "1e200", "1e-200", what="without precision"),
    case("money", "'-12.34'", "'92233720368547758.07'"),
]
TEXTS: Final = [
    case("text", "''", "'한글 ''q''\\x \"d\" \t\n,'"),
    case("varchar(9)", "'ab '", "''"),
    case("character(4)", "'ab'", "''"),
    case("bpchar", "'ab'"),
    case('"char"', "'x'"),
    case("name", "'n'"),
    case("bytea", "'\\x'", "'\\x00ff27'", kind="BYTES", made="bytea"),
    case("uuid", "'00112233-4455-6677-8899-aabbccddeeff'"),
    case("json", '\'{"a":  1, "a": [null]}\'', "'null'"),
    case("jsonb", "'{\"a\":  1e400}'", "'null'"),
    case("jsonpath", "'$.a'"),
    case("tsvector", "'a:1A b:2'"),
    case("tsquery", "'a & b'"),
]
MOMENTS: Final = [
    case("date", "'2024-02-29'", "'0001-01-01'", "'1582-10-10'", "'9999-12-31'", kind="Date", made="date"),
    case("date", "'infinity'", "'-infinity'", kind="Date", made="date", what="infinite"),
    case("time", "'00:00'", "'23:59:59.123'", kind="Time", made="time without time zone"),
    case("time(3)", "'23:59:59.1234'", kind="Time", made="time without time zone"),
    case(
        "time",
        "'23:59:59.123456'",
        kind="Time",
        made="time without time zone",
        default="'23:59:59.123'",
        iso="'23:59:59.123'",
        what="beyond milliseconds",
    ),
    case("time", "'24:00'", kind="Time", default=REFUSED, iso=REFUSED, what="`24:00`"),
    case("timetz", "'01:00:00+00'", "'23:00:00.5+00'", kind="Time", made="time without time zone", what="in UTC"),
    case(
        "timetz",
        "'01:00:00+02'",
        kind="Time",
        made="time without time zone",
        default="'23:00:00+00'",
        iso="'23:00:00+00'",
        what="in other zones",
    ),
    _time("timestamp", "'2024-02-29 12:00:00.123'", "'1960-01-01 00:00:00.001'", "'0001-01-01'", "'4713-01-01 BC'"),
    _time("timestamp", "'2024-02-29 12:00:00.123456'", default="'2024-02-29 12:00:00.123'", what="beyond milliseconds"),
    _time("timestamp", "'infinity'", "'-infinity'", what="infinite"),
    _time("timestamp", "'294276-12-31 23:59:59.999'", default=REFUSED, what="years after 287000"),
    _time("timestamp(0)", "'2024-02-29 12:00:00'"),
    _time("timestamptz", "'2024-02-29 12:00:00.123+09'", "'0044-03-15 12:00 BC'"),
    _time(
        "timestamptz",
        "'2024-02-29 12:00:00.123456+09'",
        default="'2024-02-29 12:00:00.123+09'",
        what="beyond milliseconds",
    ),
    _time("timestamptz", "'infinity'", "'-infinity'", what="infinite"),
    case("interval", "'1 year -2 mons 3 days 04:05:06.789123'", "'-00:00:01'", "'178000000 years'"),
]
BITS: Final = [
    case("bit", "B'1'", "B'0'", kind="BOOLEAN", made="boolean", back="{}::int::bit"),
    case("bit(8)", "B'11111111'", "B'00000001'", kind="INT8", made="smallint", back="{}::int::bit(8)"),
    case("bit(3)", "B'101'", kind="INT8", made="smallint", back="{}::int::bit(3)"),
    case("bit(10)", "B'1010101010'", kind="BYTES", made="bytea", back="convert_from({}, 'UTF8')::bit(10)"),
    case("varbit", "B'101'", "B''"),
    case("varbit(70)", "B'101'"),
]
NETWORK: Final = [
    case("inet", "'10.0.0.1/8'", "'::1'"),
    case("cidr", "'10.0.0.0/8'"),
    case("macaddr", "'08:00:2b:01:02:03'"),
    case("macaddr8", "'08:00:2b:01:02:03:04:05'"),
]
ARRAYS: Final = [
    case("integer[]", "'{1,NULL,3}'", "'{}'", "'[0:1]={1,2}'", "'{{1,2},{3,4}}'"),
    case("boolean[]", "ARRAY[true,false]"),
    case("text[]", "ARRAY['a,b', 'c\"d', '', 'NULL', NULL]"),
    case("double precision[]", "ARRAY['NaN'::float8, 0.1, '-0']"),
    case("numeric[]", "ARRAY[0.10]"),
    case("bytea[]", "ARRAY['\\x00ff'::bytea]"),
    case("date[]", "ARRAY[date 'infinity']"),
    case("timestamptz[]", "ARRAY[timestamptz '2024-01-01 00:00:00.123456+09', 'infinity']"),
    case("interval[]", "ARRAY[interval '1 day']"),
    case("uuid[]", "ARRAY['00112233-4455-6677-8899-aabbccddeeff'::uuid]"),
    case("jsonb[]", 'ARRAY[\'{"a": "b,"}\'::jsonb]'),
]
SHAPES: Final = [
    case("point", "'(1,2.5)'"),
    case("line", "'{1,2,3}'"),
    case("lseg", "'[(0,0),(1,1)]'"),
    case("box", "'(3,4),(1,2)'"),
    case("path", "'((0,0),(1,1))'", "'[(0,0),(1,1)]'"),
    case("polygon", "'((0,0),(1,1),(1,0))'"),
    case("circle", "'<(0,0),0.1>'"),
]
RANGES: Final = [
    case("int4range", "'[1,5)'", "'empty'", "'(,)'"),
    case("int8range", "'[1,5)'"),
    case("numrange", "'(1.5,]'"),
    case("daterange", "'[2024-01-01,infinity)'"),
    case("tsrange", "'[2024-01-01 00:00:00.123456,)'"),
    case("tstzrange", "'[2024-01-01 00:00+09,infinity)'"),
    case("int4multirange", "'{[1,5),[7,9)}'"),
    case("int8multirange", "'{[1,5)}'"),
    case("nummultirange", "'{}'"),
    case("datemultirange", "'{[2024-01-01,2024-01-03)}'"),
    case("tsmultirange", "'{[2024-01-01,2024-01-03)}'"),
    case("tstzmultirange", "'{[2024-01-01 00:00+00,2024-01-03 00:00+00)}'"),
]
SYSTEM: Final = [
    *(case(name, "'7'") for name in ("xid", "xid8", "cid")),
    case("tid", "'(1,2)'"),
    case("pg_lsn", "'16/B374D848'"),
    case("pg_snapshot", "'10:20:10,14'"),
    case("txid_snapshot", "'10:20:10,14'"),
    case("regclass", "'pg_class'"),
    case("regtype", "'integer'"),
    case("regproc", "'now'"),
    case("regprocedure", "'abs(int)'"),
    case("regoper", "'||/'"),
    case("regoperator", "'+(int,int)'"),
    case("regnamespace", "'pg_catalog'"),
    case("regrole", "'headrace'"),
    case("regconfig", "'english'"),
    case("regdictionary", "'simple'"),
    case("regcollation", "'\"C\"'"),
    case("refcursor", "'c'"),
    case("int2vector", "'1 2'"),
    case("oidvector", "'1 2'"),
    case("aclitem", "'headrace=r/headrace'"),
]
OWN: Final = [
    case("mood", "'sad'", what="an enum"),
    case("pair", "ROW(1, 'x,\"y')", what="a composite type"),
    case("positive", "7", kind="INT32", made="integer", what="a domain over integer"),
    case("price", "7.5", kind="Decimal", made="numeric(8,2)", what="a domain over numeric(8,2)"),
    case("moods", "'{sad}'", what="a domain over an array"),
    case("mood[]", "'{sad,happy}'", what="an array of an enum"),
    case("pair[]", "ARRAY[ROW(1,'a')::pair]", what="an array of a composite type"),
    case("floatrange", "'[0.1,0.2)'", what="a range type"),
]
CASES: Final = [*NUMBERS, *TEXTS, *MOMENTS, *BITS, *NETWORK, *ARRAYS, *SHAPES, *RANGES, *SYSTEM, *OWN]
EXTENSIONS: Final = [
    case("xml", "'<a b=\"1\">한글</a>'"),
    case("hstore", "'a=>1, \"b c\"=>NULL'"),
    case("citext", "'Ab'"),
    case("ltree", "'a.b'"),
    case("cube", "'(1,2),(3,4)'"),
]
