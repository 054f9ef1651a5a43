"""A registry behind https: known by the name that the user wrote, wherever the address book says that it is."""

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from headrace.config.addresses import VARIABLE
from headrace.connect.api import ConfigError, RetriableError
from tests.connect.converters.registry.scripted import client_of, scripted
from tests.connect.converters.registry.test_registry_client import good


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key and a certificate for `schema-registry`, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "schema-registry")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("schema-registry")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = tmp_path / "registry.pem"
    file.write_bytes(key.private_bytes(*form) + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_the_name_is_checked_and_the_address_is_the_books(
    certificate: Path, server_side: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusting = {"schema_registry_ssl_truststore_location": str(certificate), "max_retries": 0}
    with scripted(good, server_side) as registry:
        book = f"schema-registry:443=127.0.0.1:{registry.port},other:443=127.0.0.1:{registry.port}"
        monkeypatch.setenv(VARIABLE, book)
        assert client_of("https://schema-registry", **trusting).id_of("s", "AVRO", "{}") == 7
        with pytest.raises(RetriableError, match="https://other: TLS failed"):
            client_of("https://other", **trusting).schema(1)
        with pytest.raises(RetriableError, match="TLS failed: CERTIFICATE_VERIFY_FAILED"):
            client_of("https://schema-registry", max_retries=0).schema(1)


def test_a_store_that_is_no_pem_is_refused_with_the_way_to_make_one(tmp_path: Path) -> None:
    (tmp_path / "store.jks").write_bytes(b"\xfe\xed\xfe\xed")
    with pytest.raises(ConfigError, match=r"store\.jks cannot be read as PEM.*keytool"):
        client_of("https://h", schema_registry_ssl_truststore_location=str(tmp_path / "store.jks"))


def test_our_own_certificate_goes_along(
    certificate: Path, server_side: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_side.verify_mode = ssl.CERT_REQUIRED
    server_side.load_verify_locations(certificate)
    stores = {f"schema_registry_ssl_{store}_location": str(certificate) for store in ("truststore", "keystore")}
    with scripted(good, server_side) as registry:
        monkeypatch.setenv(VARIABLE, f"schema-registry:8081=127.0.0.1:{registry.port}")
        assert client_of("https://schema-registry:8081", **stores).schema(7).id == 7
