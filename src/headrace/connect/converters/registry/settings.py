"""The keys of a schema registry's clients, under the names that Confluent's documentation gives them."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import SplitResult, unquote, urlsplit

from headrace.connect.api import NO_DEFAULT, ConfigDef, ConfigError, Importance, Password, Type, between, one_of
from headrace.connect.converters.registry.subject import strategy

_HIGH, _MEDIUM, _LOW = Importance.HIGH, Importance.MEDIUM, Importance.LOW
_TOPIC_NAME: Final = "io.confluent.kafka.serializers.subject.TopicNameStrategy"
_NOT_OFFERED: Final = {
    "proxy.host": "no proxy is used; remove it, and give an address in schema.registry.url that can be reached",
    "use.schema.id": "remove it; use.latest.version=true writes with the newest version of the subject",
    "context.name.strategy": "remove it; a context can stand in schema.registry.url as /contexts/NAME",
}
_UNSET: Final = (None, "", "-1", -1)


def _urls(name: str, value: Any) -> None:
    for url in value or []:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError(
                f"Invalid value {without_login(url)} for configuration {name}: it begins with http:// or https://, "
                "as http://schema-registry:8081"
            )
        try:
            _ = parts.port
        except ValueError:
            raise ConfigError(f"Invalid value {without_login(url)} for configuration {name}: no such port") from None


def _strategy(name: str, value: Any) -> None:
    strategy(name, value)


def registry_config_def() -> ConfigDef:
    """The keys that every converter with a registry has."""
    definition = (
        ConfigDef()
        .define("schema.registry.url", Type.LIST, NO_DEFAULT,
                "Addresses of schema registries, separated by commas; the next is asked where one does not answer.",
                importance=_HIGH, validator=_urls)
        .define("auto.register.schemas", Type.BOOLEAN, True, "Register the schema of what is written.",
                importance=_MEDIUM)
        .define("use.latest.version", Type.BOOLEAN, False,
                "With auto.register.schemas=false: write with the newest schema of the subject.", importance=_LOW)
        .define("latest.compatibility.strict", Type.BOOLEAN, True,
                "With use.latest.version=true: refuse values that have what the newest schema does not.",
                importance=_LOW)
        .define("normalize.schemas", Type.BOOLEAN, False, "Have the registry normalize schemas.", importance=_LOW)
        .define("key.subject.name.strategy", Type.CLASS, _TOPIC_NAME, "How the subject of a key is named.",
                importance=_MEDIUM, validator=_strategy)
        .define("value.subject.name.strategy", Type.CLASS, _TOPIC_NAME, "How the subject of a value is named.",
                importance=_MEDIUM, validator=_strategy)
        .define("max.schemas.per.subject", Type.INT, 1000, "How many answers of the registry are remembered.",
                importance=_LOW, validator=between(1))
        .define("latest.cache.ttl.sec", Type.LONG, 60, "How long the newest schema of a subject is remembered; "
                "-1: as long as the task runs.", importance=_LOW, validator=between(-1))
    )  # fmt: skip
    return _login(_http(definition))


def _login(definition: ConfigDef) -> ConfigDef:
    return (
        definition.define("basic.auth.credentials.source", Type.STRING, "URL",
                "Where the login is: URL (http://user:password@host) or USER_INFO (basic.auth.user.info).",
                importance=_MEDIUM, validator=one_of("URL", "USER_INFO"))
        .define("basic.auth.user.info", Type.PASSWORD, None, "user:password, with USER_INFO.", importance=_MEDIUM)
        .define("schema.registry.basic.auth.user.info", Type.PASSWORD, None, "The older name of basic.auth.user.info.",
                importance=_MEDIUM)
        .define("bearer.auth.credentials.source", Type.STRING, None, "STATIC_TOKEN: bearer.auth.token is sent.",
                importance=_MEDIUM, validator=one_of(None, "STATIC_TOKEN"))
        .define("bearer.auth.token", Type.PASSWORD, None, "The token, with STATIC_TOKEN.", importance=_MEDIUM)
        .define("schema.registry.ssl.truststore.location", Type.STRING, None,
                "A PEM file of the authorities whose certificates are trusted; left out, the system's.",
                importance=_MEDIUM)
        .define("schema.registry.ssl.keystore.location", Type.STRING, None,
                "A PEM file with our own certificate and key.", importance=_MEDIUM)
        .define("schema.registry.ssl.key.password", Type.PASSWORD, None, "The password of that key.",
                importance=_MEDIUM)
    )  # fmt: skip


def _http(definition: ConfigDef) -> ConfigDef:
    return (
        definition.define("http.connect.timeout.ms", Type.INT, 10_000, "How long a connection may take.",
                importance=_LOW, validator=between(1))
        .define("http.read.timeout.ms", Type.INT, 30_000, "How long an answer may take.",
                importance=_LOW, validator=between(1))
        .define("max.retries", Type.INT, 3, "How often all addresses are tried again.",
                importance=_LOW, validator=between(0))
        .define("retries.wait.ms", Type.INT, 1000, "The first wait before trying again; each further one is doubled.",
                importance=_LOW, validator=between(0))
        .define("retries.max.wait.ms", Type.INT, 20_000, "The longest wait before trying again.",
                importance=_LOW, validator=between(0))
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class RegistrySettings:
    """Parsed settings; `role` is `key.converter` or `value.converter`, for errors that name a key."""

    role: str
    values: Mapping[str, Any]

    @classmethod
    def of(cls, properties: Mapping[str, Any], parsed: Mapping[str, Any], *, is_key: bool) -> Self:
        """`parsed` by a definition that has our keys. Raises ConfigError for settings that cannot be kept."""
        role = "key.converter" if is_key else "value.converter"
        for key, fix in _NOT_OFFERED.items():
            if properties.get(key) not in _UNSET:
                raise ConfigError(f"{role}.{key} is not offered: {fix}")
        made = cls(role, parsed)
        if parsed["basic.auth.credentials.source"] == "USER_INFO" and ":" not in made._user_info:
            raise ConfigError(
                f"{role}.basic.auth.credentials.source=USER_INFO needs {role}.basic.auth.user.info=user:password"
            )
        return made

    def __getitem__(self, key: str) -> Any:
        return self.values[key]

    @property
    def _user_info(self) -> str:
        found = self["basic.auth.user.info"] or self["schema.registry.basic.auth.user.info"]
        return found.value if isinstance(found, Password) else ""

    def authorization(self, url: SplitResult) -> str | None:
        """The value of the Authorization header for a registry, or None."""
        from base64 import b64encode

        if self["bearer.auth.credentials.source"] and self["bearer.auth.token"]:
            return f"Bearer {self['bearer.auth.token'].value}"
        login = self._user_info if self["basic.auth.credentials.source"] == "USER_INFO" else ""
        if not login and url.username:
            login = f"{unquote(url.username)}:{unquote(url.password or '')}"
        return f"Basic {b64encode(login.encode()).decode()}" if login else None

    def tls(self) -> ssl.SSLContext:
        """The context of https connections. Raises ConfigError where a file is no use."""
        trust, own = (self[f"schema.registry.ssl.{store}.location"] for store in ("truststore", "keystore"))
        for path in filter(None, (trust, own)):
            if not Path(path).is_file():
                raise ConfigError(f"{self.role}.schema.registry.ssl.*: there is no file {path}")
        try:
            context = ssl.create_default_context(cafile=trust)
            if own:
                password = self["schema.registry.ssl.key.password"]
                context.load_cert_chain(own, password=password.value if password else None)
        except ssl.SSLError as error:
            raise ConfigError(
                f"{self.role}.schema.registry.ssl.*: {trust or own} cannot be read as PEM: {error.reason}; convert a "
                "JKS store with `keytool -exportcert -rfc`, a PKCS12 one with `openssl pkcs12`"
            ) from None
        return context


def without_login(url: str) -> str:
    """The URL as it may be shown.

    >>> without_login("http://me:secret@host:8081/x")
    'http://host:8081/x'
    """
    scheme, mark, rest = url.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"
