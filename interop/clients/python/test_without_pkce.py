"""Older applications: requests-oauthlib and Authlib as most programs use them, without PKCE."""

from types import SimpleNamespace

import pytest
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, TokenExpiredError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from browser import Browser, parameters
from quadrille import PASSWORD, REDIRECT_URI, SCOPE, USER, Quadrille

ALLOWED = "--allow-without-pkce-so-that-a-leaked-code-can-be-injected"
SETTING = "QUADRILLE_ALLOW_CONFIDENTIAL_CLIENTS_WITHOUT_PKCE_SO_THAT_LEAKED_CODES_CAN_BE_INJECTED"


@pytest.fixture(scope="module")
def relaxed(tmp_path_factory):
    """A provider that lets every confidential client omit PKCE."""
    provider = Quadrille(tmp_path_factory.mktemp("quadrille"), **{SETTING: "true"})
    yield provider
    provider.stop()


@pytest.fixture(params=["allowed to the client", "allowed to all"])
def old(request, provider):
    """A provider, and a client that may omit PKCE."""
    if request.param == "allowed to the client":
        return SimpleNamespace(provider=provider, client=provider.web_client(ALLOWED))
    provider = request.getfixturevalue("relaxed")
    return SimpleNamespace(provider=provider, client=provider.web_client())


@pytest.fixture
def dance(old, browser):
    """Logs in with requests-oauthlib; the session holds the token."""

    def dance(authentication, **options):
        metadata = old.provider.metadata()
        session = OAuth2Session(old.client.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), **options)
        url, state = session.authorization_url(metadata["authorization_endpoint"])
        assert "code_challenge" not in parameters(url)
        callback = browser.authorize(url)
        assert parameters(callback)["state"] == state
        session.fetch_token(
            metadata["token_endpoint"], authorization_response=callback, **authentication(old.client)
        )
        return SimpleNamespace(session=session, metadata=metadata, callback=callback)

    return dance


def basic(client):
    return {"auth": HTTPBasicAuth(client.client_id, client.client_secret)}


def post(client):
    return {"client_secret": client.client_secret, "include_client_id": True}


def plain(client):
    return {"client_secret": client.client_secret}


@pytest.mark.parametrize("authentication", [basic, post, plain])
def test_requests_oauthlib_logs_in_and_calls_the_api(old, dance, authentication):
    done = dance(authentication)
    assert set(done.session.token["scope"]) == set(SCOPE.split())
    assert done.session.get(old.provider.me).json()["username"] == USER


def test_it_refreshes_by_itself_when_the_token_expires(old, dance):
    saved = []
    client = old.client
    done = dance(
        basic,
        auto_refresh_url=old.provider.metadata()["token_endpoint"],
        auto_refresh_kwargs={"client_id": client.client_id, "client_secret": client.client_secret},
        token_updater=saved.append,
    )
    first = done.session.token["access_token"]
    done.session.token["expires_at"] = 1
    done.session._client.populate_token_attributes(done.session.token)
    assert done.session.get(old.provider.me).json()["username"] == USER
    assert saved and saved[0]["access_token"] != first


def test_a_token_that_is_known_to_have_expired_is_not_sent(old, dance):
    done = dance(basic)
    done.session.token["expires_at"] = 1
    done.session._client.populate_token_attributes(done.session.token)
    with pytest.raises(TokenExpiredError):
        done.session.get(old.provider.me)
    done.session.refresh_token(done.metadata["token_endpoint"], **basic(old.client))
    assert done.session.get(old.provider.me).status_code == 200


def test_a_code_works_once(old, dance):
    done = dance(basic)
    with pytest.raises(InvalidGrantError):
        done.session.fetch_token(
            done.metadata["token_endpoint"], authorization_response=done.callback, **basic(old.client)
        )


def test_a_second_login_needs_no_second_consent(dance, browser):
    dance(basic)
    asked = browser.asked
    dance(basic)
    assert browser.asked == asked


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_authlib_logs_in_refreshes_and_revokes(old, browser, method):
    metadata = old.provider.metadata()
    session = AuthlibSession(
        old.client.client_id,
        old.client.client_secret,
        scope=SCOPE,
        redirect_uri=REDIRECT_URI,
        token_endpoint_auth_method=method,
        token_endpoint=metadata["token_endpoint"],
    )
    url, state = session.create_authorization_url(metadata["authorization_endpoint"])
    callback = browser.authorize(url)
    token = session.fetch_token(metadata["token_endpoint"], authorization_response=callback, state=state)
    assert session.get(old.provider.me).json()["username"] == USER
    renewed = session.refresh_token(metadata["token_endpoint"])
    assert renewed["access_token"] != token["access_token"]
    assert session.revoke_token(metadata["revocation_endpoint"], renewed["access_token"]).status_code == 200
    assert session.get(old.provider.me).status_code == 401


def test_with_pkce_the_same_client_is_held_to_it(old, browser):
    metadata = old.provider.metadata()
    session = OAuth2Session(old.client.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), pkce="S256")
    url, state = session.authorization_url(metadata["authorization_endpoint"])
    callback = browser.authorize(url)
    thief = OAuth2Session(old.client.client_id, redirect_uri=REDIRECT_URI, state=state)
    with pytest.raises(InvalidGrantError):
        thief.fetch_token(metadata["token_endpoint"], authorization_response=callback, **basic(old.client))


def refusal(provider, client):
    session = OAuth2Session(client.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split())
    url, _ = session.authorization_url(provider.metadata()["authorization_endpoint"])
    browser = Browser(USER, PASSWORD, REDIRECT_URI)
    answer = parameters(browser.authorize(url))
    browser.http.close()
    return answer["error"], answer["error_description"]


def test_others_are_told_that_pkce_is_required(provider, web, public):
    for client in [web, public]:
        error, description = refusal(provider, client)
        assert error == "invalid_request" and "code_challenge" in description


def test_a_public_client_never_leaves_it_out(relaxed):
    error, _ = refusal(relaxed, relaxed.web_client("--public"))
    assert error == "invalid_request"
