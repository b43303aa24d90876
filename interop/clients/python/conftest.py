import os

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from browser import Browser
from quadrille import PASSWORD, REDIRECT_URI, USER, Quadrille

# oauthlib and Authlib refuse http even on loopback.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


@pytest.fixture(scope="session")
def provider(tmp_path_factory):
    provider = Quadrille(tmp_path_factory.mktemp("quadrille"))
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def oauth1(tmp_path_factory):
    """A provider that offers OAuth 1.0a with every signature method."""
    provider = Quadrille.with_oauth1(tmp_path_factory.mktemp("quadrille"))
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def devices(tmp_path_factory):
    """A provider that lets devices in."""
    provider = Quadrille(tmp_path_factory.mktemp("quadrille"), QUADRILLE_DEVICE_ENABLED="true")
    yield provider
    provider.stop()


@pytest.fixture(scope="session")
def rsa(tmp_path_factory):
    """Makes an RSA key: the private half as PEM text, and the file of the public half."""

    def rsa(bits=2048):
        key = generate_private_key(public_exponent=65537, key_size=bits)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        file = tmp_path_factory.mktemp("rsa") / "public.pem"
        file.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        return private, str(file)

    return rsa


@pytest.fixture(scope="session")
def web(provider):
    return provider.web_client()


@pytest.fixture(scope="session")
def public(provider):
    return provider.web_client("--public")


@pytest.fixture(scope="session")
def machine(provider):
    return provider.machine_client()


@pytest.fixture
def browser():
    browser = Browser(USER, PASSWORD, REDIRECT_URI)
    yield browser
    browser.http.close()
