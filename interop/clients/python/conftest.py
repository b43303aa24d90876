import os

import pytest

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
