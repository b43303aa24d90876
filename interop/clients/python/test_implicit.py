"""Old applications that get access tokens in their redirects (RFC 6749, section 4.2)."""

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import MobileApplicationClient
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, UnsupportedResponseTypeError
from requests_oauthlib import OAuth2Session

from browser import parameters
from quadrille import REDIRECT_URI, SCOPE, USER, Quadrille

GRANT = ("--grant", "implicit")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    settings = {"QUADRILLE_SEND_ACCESS_TOKENS_IN_REDIRECTS_SO_THAT_THEY_CAN_LEAK": "true"}
    provider = Quadrille(tmp_path_factory.mktemp("quadrille"), **settings)
    yield provider
    provider.stop()


def session(client, **more):
    mobile = MobileApplicationClient(client.client_id)
    return OAuth2Session(client=mobile, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), **more)


@pytest.mark.parametrize("options", [(), ("--public",)])
def test_requests_oauthlib(old, browser, options):
    client = old.web_client(*GRANT, *options)
    oauth = session(client)
    url, state = oauth.authorization_url(old.metadata()["authorization_endpoint"])
    assert "response_type=token" in url
    callback = browser.authorize(url)
    answer = parameters(callback)
    assert (answer["state"], answer["iss"]) == (state, old.issuer)
    assert "refresh_token" not in answer and "code" not in answer
    token = oauth.token_from_fragment(callback)
    assert set(token["scope"]) == set(SCOPE.split())
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    me = oauth.get(old.me).json()
    assert (me["username"], me["client_id"]) == (USER, client.client_id)
    with pytest.raises(ValueError, match="state"):
        session(client, state="another").token_from_fragment(callback)


def test_saying_no_comes_back_in_the_fragment(old, browser):
    oauth = session(old.web_client(*GRANT))
    url, _ = oauth.authorization_url(old.metadata()["authorization_endpoint"])
    callback = browser.authorize(url, decision="deny")
    assert callback.startswith(REDIRECT_URI + "#error=access_denied")
    with pytest.raises(AccessDeniedError):
        oauth.token_from_fragment(callback)


def test_authlib(old, browser):
    client = old.web_client(*GRANT, "--public")
    oauth = AuthlibSession(client.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE, response_type="token")
    url, state = oauth.create_authorization_url(old.metadata()["authorization_endpoint"])
    callback = browser.authorize(url)
    token = oauth.fetch_token(authorization_response=callback, state=state)
    assert set(token["scope"].split()) == set(SCOPE.split())
    assert oauth.get(old.me).json()["username"] == USER


def test_it_is_off_by_default(provider, browser):
    client = provider.web_client(*GRANT)
    oauth = session(client)
    url, _ = oauth.authorization_url(provider.metadata()["authorization_endpoint"])
    with pytest.raises(UnsupportedResponseTypeError):
        oauth.token_from_fragment(browser.authorize(url))
    assert "implicit" not in provider.metadata()["grant_types_supported"]
