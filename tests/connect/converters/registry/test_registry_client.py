"""The client of a schema registry: what it asks, what it remembers, and what it says where there is no good answer."""

import base64
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from headrace.config import ConfigValue
from headrace.config.addresses import VARIABLE
from headrace.connect.api import ConfigError, ConnectError, DataError, RetriableError
from headrace.connect.converters.registry.client import AWAY_S, REFUSED_S, RegistryClient
from headrace.connect.converters.registry.settings import without_login
from headrace.connect.converters.registry.subject import strategy
from headrace.connect.converters.registry.transport import Transport
from headrace.connect.runtime.host.converter_config import converter_pairs
from headrace.connect.runtime.host.framework_config import as_shown
from tests.conftest import free_port
from tests.connect.converters.registry.scripted import Scripted, client_of, scripted, settings_of


def good(method: str, path: str, body: Any) -> tuple[int, Any]:
    return 200, {"id": 7, "schema": '"string"', "subject": "t-value", "version": 1}


def test_an_answer_is_asked_for_once() -> None:
    with scripted(good) as registry:
        client = client_of(registry.url)
        assert [client.id_of("t-value", "AVRO", '"string"') for _ in range(3)] == [7, 7, 7]
        assert client.schema(7) is client.schema(7)
        assert client.latest("t-value") is client.latest("t-value")
    assert [path for _, path, _ in registry.asked] == [
        "/subjects/t-value/versions",
        "/schemas/ids/7",
        "/subjects/t-value/versions/latest",
    ]


def test_the_newest_version_is_asked_for_again_when_it_is_old() -> None:
    now = [0.0]
    with scripted(good) as registry:
        settings = settings_of(registry.url, latest_cache_ttl_sec=30)
        client = RegistryClient(settings, Transport(settings), lambda: now[0])
        for second in (0, 29, 31):
            now[0] = second
            client.latest("t-value")
    assert len(registry.asked) == 2


def test_a_subject_of_any_name_is_one_part_of_the_path() -> None:
    with scripted(good) as registry:
        client = client_of(registry.url)
        client.id_of("a/b ü-value", "JSON", "{}")
    assert registry.asked[0][1] == "/subjects/a%2Fb%20%C3%BC-value/versions"


@pytest.mark.parametrize(
    ("register", "path"), [(True, "/subjects/s/versions?normalize=true"), (False, "/subjects/s?normalize=true")]
)
def test_a_schema_is_registered_or_only_looked_up(register: bool, path: str) -> None:
    with scripted(good) as registry:
        client = client_of(registry.url, auto_register_schemas=register, normalize_schemas=True)
        client.id_of("s", "AVRO", '"string"')
    assert registry.asked[0][:2] == ("POST", path)


def test_a_registry_that_comes_back_is_waited_for() -> None:
    replies = [(503, {"error_code": 50003, "message": "starting"})] * 2 + [(200, {"id": 3})]
    waits: list[float] = []
    with scripted(lambda *_: replies.pop(0)) as registry:
        client = client_of(registry.url, waits, retries_wait_ms=100)
        assert client.id_of("s", "AVRO", "{}") == 3
    assert len(waits) == 2
    assert 0.07 < waits[0] <= 0.1 < waits[1] <= 0.2


def test_a_registry_that_is_away_is_named_with_the_key_and_without_the_login() -> None:
    port, waits = free_port(), []  # type: int, list[float]
    client = client_of(f"http://me:geheim@127.0.0.1:{port}/base", waits)
    with pytest.raises(RetriableError) as error:
        client.schema(1)
    text = str(error.value)
    assert f"http://127.0.0.1:{port}/base: Connection refused" in text
    assert "in 4 tries" in text and "value.converter.schema.registry.url" in text
    assert "geheim" not in text
    assert len(waits) == 3


def test_a_batch_that_is_halved_does_not_wait_for_an_absent_registry_again_and_again() -> None:
    now, replies = [0.0], [503] * 4 + [200]
    waits: list[float] = []
    with scripted(lambda *_: (replies.pop(0), {"id": 3})) as registry:
        settings = settings_of(registry.url)
        client = RegistryClient(settings, Transport(settings, waits.append), lambda: now[0])
        for subject in ("a", "a", "b"):
            with pytest.raises(RetriableError, match="in 4 tries"):
                client.id_of(subject, "AVRO", "{}")
        assert len(waits) == 3
        now[0] = AWAY_S
        assert client.id_of("a", "AVRO", "{}") == 3


def test_the_next_address_is_asked_where_one_is_away_and_stays_the_first() -> None:
    waits: list[float] = []
    with scripted(good) as registry:
        client = client_of(f"http://127.0.0.1:{free_port()}, {registry.url}", waits)
        client.id_of("s", "AVRO", "{}")
        client.schema(7)
    assert waits == []
    assert len(registry.asked) == 2


def test_the_address_book_says_where_a_registry_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted(good) as registry:
        monkeypatch.setenv(VARIABLE, f"schema-registry:8081=127.0.0.1:{registry.port}")
        client = client_of("http://schema-registry:8081")
        assert client.id_of("s", "AVRO", "{}") == 7


def basic(login: str) -> str:
    return f"Basic {base64.b64encode(login.encode()).decode()}"


@pytest.mark.parametrize(
    ("url_login", "more", "header"),
    [
        ("", {}, None),
        ("me:p%40ss@", {}, basic("me:p@ss")),
        ("", {"basic_auth_credentials_source": "USER_INFO", "basic_auth_user_info": "me:secret"}, basic("me:secret")),
        (
            "other:x@",
            {"basic_auth_credentials_source": "USER_INFO", "schema_registry_basic_auth_user_info": "me:secret"},
            basic("me:secret"),
        ),
        ("", {"bearer_auth_credentials_source": "STATIC_TOKEN", "bearer_auth_token": "abc"}, "Bearer abc"),
    ],
)
def test_the_login_goes_along(url_login: str, more: dict[str, str], header: str | None) -> None:
    with scripted(good) as registry:
        client = client_of(registry.url.replace("http://", f"http://{url_login}"), **more)
        client.schema(7)
    assert registry.asked[0][2] == header


@contextmanager
def refusing(status: int, code: int, message: str) -> Iterator[Scripted]:
    with scripted(lambda *_: (status, {"error_code": code, "message": message})) as registry:
        yield registry


def test_a_wrong_login_names_the_keys_and_not_the_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with refusing(401, 40101, "Unauthorized") as registry:
        client = client_of(
            registry.url, basic_auth_credentials_source="USER_INFO", basic_auth_user_info="me:geheim", is_key=True
        )
        with pytest.raises(ConnectError, match=r"refused the login .*key\.converter\.basic\.auth\.user\.info") as error:
            client.schema(1)
    assert "geheim" not in str(error.value) + caplog.text + repr(client) + repr(client._settings)


def test_an_incompatible_schema_is_refused_with_the_registrys_words() -> None:
    with refusing(409, 409, "it is incompatible") as registry:
        client = client_of(registry.url)
        with pytest.raises(DataError, match=r"subject s: it is incompatible.*PUT /config/s"):
            client.id_of("s", "AVRO", "{}")


def test_what_is_not_registered_may_not_be_written_without_registering() -> None:
    with refusing(404, 40403, "Schema not found") as registry:
        client = client_of(registry.url, auto_register_schemas="false")
        with pytest.raises(
            DataError, match=r"register it there, or set value\.converter\.auto\.register\.schemas=true"
        ):
            client.id_of("s", "AVRO", "{}")


def test_an_unknown_id_says_that_another_registry_wrote_it() -> None:
    with refusing(404, 40403, "Schema not found") as registry:
        client = client_of(registry.url)
        with pytest.raises(DataError, match="no schema with id 9: the message was written with another registry"):
            client.schema(9)


def test_a_refusal_is_remembered_for_a_while_and_then_asked_again() -> None:
    now = [0.0]
    with refusing(409, 409, "no") as registry:
        settings = settings_of(registry.url)
        client = RegistryClient(settings, Transport(settings), lambda: now[0])
        for second in (0, REFUSED_S - 1, REFUSED_S + 1):
            now[0] = second
            with pytest.raises(DataError):
                client.id_of("s", "AVRO", "{}")
    assert len(registry.asked) == 2


@pytest.mark.parametrize("reply", [(200, b"<html>"), (404, b"<html>not here")])
def test_a_server_that_is_no_registry_is_named(reply: tuple[int, bytes]) -> None:
    with scripted(lambda *_: reply) as registry:
        client = client_of(registry.url)
        with pytest.raises(ConnectError, match="does not answer as a registry does"):
            client.schema(1)


def test_references_come_each_after_what_it_refers_to() -> None:
    bodies = {
        "/schemas/ids/1": {"schema": "A", "references": [{"name": "b", "subject": "sb", "version": 2}]},
        "/subjects/sb/versions/2?deleted=true": {
            "schema": "B",
            "references": [{"name": "c", "subject": "sc", "version": 1}],
        },
        "/subjects/sc/versions/1?deleted=true": {"schema": "C"},
    }
    with scripted(lambda method, path, body: (200, bodies[path])) as registry:
        client = client_of(registry.url)
        assert client.schema(1).references == (("c", "C"), ("b", "B"))


@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"schema_registry_url": "localhost:8081"}, "begins with http://"),
        ({"schema_registry_url": "http://me:geheim@host:99999"}, "no such port"),
        (
            {"schema_registry_url": "http://h", "value_subject_name_strategy": "a.b.MyStrategy"},
            "TopicRecordNameStrategy",
        ),
        (
            {"schema_registry_url": "http://h", "basic_auth_credentials_source": "USER_INFO"},
            r"basic\.auth\.user\.info=",
        ),
        ({"schema_registry_url": "http://h", "proxy_host": "p"}, r"value\.converter\.proxy\.host is not offered"),
        ({"schema_registry_url": "http://h", "basic_auth_credentials_source": "SASL_INHERIT"}, "USER_INFO"),
    ],
)
def test_settings_that_cannot_be_kept_are_refused_by_name(properties: dict[str, str], words: str) -> None:
    given = dict(properties)
    with pytest.raises(ConfigError, match=words) as error:
        settings_of(given.pop("schema_registry_url"), **given)
    assert "geheim" not in str(error.value)


def test_a_missing_trust_store_is_named() -> None:
    with pytest.raises(ConfigError, match=r"there is no file /no/ca\.pem"):
        client_of("https://h", schema_registry_ssl_truststore_location="/no/ca.pem")


def test_subjects_are_named_by_topic_by_record_or_by_both() -> None:
    prefix = "io.confluent.kafka.serializers.subject."
    assert strategy("k", f"{prefix}TopicNameStrategy")("t", True, None) == "t-key"
    assert strategy("k", "TopicNameStrategy")("t", False, "n.R") == "t-value"
    assert strategy("k", f"{prefix}RecordNameStrategy")("t", False, "n.R") == "n.R"
    assert strategy("k", "TopicRecordNameStrategy")("t", True, "n.R") == "t-n.R"
    with pytest.raises(DataError, match="topic t: RecordNameStrategy"):
        strategy("k", "RecordNameStrategy")("t", False, None)


def test_a_url_is_shown_without_its_login() -> None:
    assert without_login("https://a:b@c@h:1/x") == "https://h:1/x"


def test_a_connector_is_refused_when_it_is_posted_with_what_its_converter_lacks() -> None:
    given = {
        "value.converter": "io.confluent.connect.avro.AvroConverter",
        "value.converter.value.subject.name.strategy": "com.acme.Mine",
        "value.converter.basic.auth.user.info": "me:geheim",
    }
    pairs = converter_pairs(given, [ConfigValue(name) for name in ("key.converter", "value.converter")])
    errors = {value.name: value.errors for _, value in pairs if value.errors}
    assert errors.keys() == {
        "value.converter.schema.registry.url",
        "value.converter.value.subject.name.strategy",
    }
    assert "geheim" not in repr([as_shown(key, value) for key, value in pairs])
