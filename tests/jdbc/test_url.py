"""connection.url: what users write, read as pgjdbc and libpq read it."""

import pytest

from headrace.connect.api import ConfigError, Password
from headrace.jdbc.url import parse_url, shown


def test_the_tutorials_url() -> None:
    url = parse_url("jdbc:postgresql://postgres-server:5432/mydatabase")
    assert (url.hosts, url.database, url.user, url.password) == ((("postgres-server", 5432),), "mydatabase", None, None)


@pytest.mark.parametrize(
    ("text", "hosts", "database"),
    [
        ("jdbc:postgresql://h/db", (("h", 5432),), "db"),
        ("jdbc:postgresql://h:5433/", (("h", 5433),), None),
        ("jdbc:postgresql:db", (("localhost", 5432),), "db"),
        ("jdbc:postgresql:/", (("localhost", 5432),), None),
        ("jdbc:postgresql://a:1,b:2,c/db", (("a", 1), ("b", 2), ("c", 5432)), "db"),
        ("jdbc:postgresql://[::1]:5433/my%20db", (("::1", 5433),), "my db"),
        ("postgres://h/db", (("h", 5432),), "db"),
    ],
)
def test_every_form_of_host_and_database(text: str, hosts: object, database: object) -> None:
    url = parse_url(text)
    assert (url.hosts, url.database) == (hosts, database)


def test_user_and_password_in_the_query_are_taken_out_of_the_parameters() -> None:
    url = parse_url("jdbc:postgresql://h/db?user=me&password=s%26cret&ApplicationName=x")
    assert (url.user, url.password) == ("me", Password("s&cret"))
    assert url.parameters == {"application_name": "x"}
    assert "s&cret" not in repr(url)


def test_user_and_password_of_a_libpq_url() -> None:
    url = parse_url("postgresql://me:p%40ss@h:5433/db?sslmode=require")
    assert (url.user, url.password, url.hosts) == ("me", Password("p@ss"), (("h", 5433),))
    assert url.parameters == {"sslmode": "require"}


def test_pgjdbcs_parameters_under_libpqs_names() -> None:
    url = parse_url(
        "jdbc:postgresql://h/db?ssl=true&connectTimeout=7&currentSchema=a,b&targetServerType=preferSecondary"
        "&tcpKeepAlive=true&reWriteBatchedInserts=true"
    )
    assert url.parameters == {
        "sslmode": "verify-full",
        "connect_timeout": "7",
        "options": "-csearch_path=a,b",
        "target_session_attrs": "prefer-standby",
        "keepalives": "1",
    }
    assert url.ignored == ("reWriteBatchedInserts",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "connection.url is missing"),
        ("jdbc:mysql://h/db", "there is no dialect for mysql"),
        ("h:5432/db", "does not begin with jdbc:postgresql:"),
        ("jdbc:postgresql://h:no/db", "'no' is no port number"),
        ("jdbc:postgresql://h:99999/db", "'99999' is no port number"),
        ("jdbc:postgresql://h/a/b", "'a/b' has a slash"),
        ("jdbc:postgresql://a:b:c/db", "'a:b:c' is not of the form|'b:c' is no port number"),
        ("jdbc:postgresql://h/db?sslmode=strict", "sslmode 'strict' is not known"),
        ("jdbc:postgresql://h/db?connectTimeout=soon", "'soon' is not a number"),
        ("jdbc:postgresql://me:secret@h/db", "set connection.user and connection.password"),
    ],
)
def test_a_bad_url_is_named(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        parse_url(text)
    assert "connection.url" in str(caught.value) and "connection.url" in caught.value.errors
    assert "secret" not in str(caught.value)


def test_a_url_is_shown_without_its_secrets() -> None:
    assert shown("jdbc:postgresql://h/db?password=x&sslpassword=y&a=1") == (
        "jdbc:postgresql://h/db?password=[hidden]&sslpassword=[hidden]&a=1"
    )
    assert shown("postgresql://me:p@ss@h/db") == "postgresql://me:[hidden]@h/db"
