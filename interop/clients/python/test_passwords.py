"""Old applications that see the passwords of users (RFC 6749, section 4.3)."""

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import LegacyApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests_oauthlib import OAuth2Session

from quadrille import PASSWORD, USER, Quadrille

GRANTS = ("--grant", "password", "--grant", "refresh_token", "--scope", "photos:read")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    settings = {"QUADRILLE_LET_CLIENTS_SEE_PASSWORDS_OF_USERS": "true"}
    provider = Quadrille(tmp_path_factory.mktemp("quadrille"), **settings)
    yield provider
    provider.stop()


@pytest.mark.parametrize("options", [(), ("--public",)])
def test_requests_oauthlib(old, options):
    client = old.client("Old app", *GRANTS, *options)
    endpoint = old.metadata()["token_endpoint"]
    session = OAuth2Session(client=LegacyApplicationClient(client.client_id, scope="photos:read"))
    secret = {"client_secret": client.client_secret} if client.client_secret else {"include_client_id": True}
    with pytest.raises(InvalidGrantError):
        session.fetch_token(endpoint, username=USER, password="wrong", **secret)
    token = session.fetch_token(endpoint, username=USER, password=PASSWORD, **secret)
    assert token["scope"] == ["photos:read"]
    assert session.get(old.me).json()["username"] == USER
    auth = {"client_id": client.client_id}
    if client.client_secret:
        auth["client_secret"] = client.client_secret
    assert session.refresh_token(endpoint, **auth)["access_token"] != token["access_token"]
    assert session.get(old.me).status_code == 200


def test_authlib(old):
    client = old.client("Old app", *GRANTS)
    endpoint = old.metadata()["token_endpoint"]
    session = AuthlibSession(client.client_id, client.client_secret, scope="photos:read")
    with pytest.raises(OAuthError, match="invalid_grant"):
        session.fetch_token(endpoint, username=USER, password="wrong")
    token = session.fetch_token(endpoint, username=USER, password=PASSWORD)
    assert token["scope"] == "photos:read"
    assert session.get(old.me).json()["username"] == USER
    assert session.refresh_token(endpoint)["access_token"] != token["access_token"]


def test_it_is_off_by_default(provider):
    client = provider.client("Old app", *GRANTS)
    session = AuthlibSession(client.client_id, client.client_secret)
    with pytest.raises(OAuthError, match="unsupported_grant_type"):
        session.fetch_token(provider.metadata()["token_endpoint"], username=USER, password=PASSWORD)
    assert "password" not in provider.metadata()["grant_types_supported"]
