"""requests-oauthlib, over oauthlib: the client of most Python programs."""

from types import SimpleNamespace

import pytest
from oauthlib.oauth2 import BackendApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from browser import parameters
from quadrille import REDIRECT_URI, SCOPE, USER


@pytest.fixture
def dance(provider, browser):
    """Logs in with the given client; the session holds the token."""
    metadata = provider.metadata()

    def dance(client, **secret):
        session = OAuth2Session(client.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), pkce="S256")
        url, state = session.authorization_url(metadata["authorization_endpoint"])
        callback = browser.authorize(url)
        assert parameters(callback)["iss"] == provider.issuer
        assert parameters(callback)["state"] == state
        token = session.fetch_token(metadata["token_endpoint"], authorization_response=callback, **secret)
        return SimpleNamespace(session=session, token=token, callback=callback, secret=secret)

    dance.metadata = metadata
    return dance


def basic(client):
    return {"auth": HTTPBasicAuth(client.client_id, client.client_secret)}


def post(client):
    return {"client_secret": client.client_secret, "include_client_id": True}


@pytest.mark.parametrize("authentication", [basic, post])
def test_a_confidential_client_logs_in_refreshes_and_calls_the_api(dance, provider, web, authentication):
    done = dance(web, **authentication(web))
    assert set(done.token["scope"]) == set(SCOPE.split())
    assert done.token["token_type"] == "Bearer"
    me = done.session.get(provider.me).json()
    assert (me["username"], me["client_id"]) == (USER, web.client_id)
    renewed = done.session.refresh_token(dance.metadata["token_endpoint"], **refresh_with(web, authentication))
    assert renewed["access_token"] != done.token["access_token"]
    assert renewed["refresh_token"] != done.token["refresh_token"]
    assert done.session.get(provider.me).json() == me


def test_a_public_client_logs_in_and_refreshes_with_its_id_alone(dance, public):
    done = dance(public, include_client_id=True)
    renewed = done.session.refresh_token(dance.metadata["token_endpoint"], client_id=public.client_id)
    assert renewed["refresh_token"] != done.token["refresh_token"]


def test_consent_is_remembered_and_asked_once(dance, browser, web):
    dance(web, **basic(web))
    asked, signed_in = browser.asked, browser.signed_in
    dance(web, **basic(web))
    assert (browser.asked, browser.signed_in) == (asked, signed_in)


def test_saying_no_comes_back_as_access_denied(provider, browser):
    client = provider.web_client()
    session = OAuth2Session(client.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), pkce="S256")
    url, state = session.authorization_url(provider.metadata()["authorization_endpoint"])
    answer = parameters(browser.authorize(url, decision="deny"))
    assert answer["error"] == "access_denied"
    assert (answer["state"], answer["iss"]) == (state, provider.issuer)
    assert "code" not in answer


def test_a_code_works_once_and_its_second_use_ends_what_the_first_bought(dance, web):
    done = dance(web, **basic(web))
    with pytest.raises(InvalidGrantError):
        done.session.fetch_token(dance.metadata["token_endpoint"], authorization_response=done.callback, **basic(web))
    with pytest.raises(InvalidGrantError):
        done.session.refresh_token(dance.metadata["token_endpoint"], **done.secret)


def test_without_the_verifier_the_code_is_refused(dance, provider, browser, web):
    session = OAuth2Session(web.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), pkce="S256")
    url, state = session.authorization_url(dance.metadata["authorization_endpoint"])
    callback = browser.authorize(url)
    thief = OAuth2Session(web.client_id, redirect_uri=REDIRECT_URI, state=state)
    with pytest.raises(InvalidGrantError):
        thief.fetch_token(dance.metadata["token_endpoint"], authorization_response=callback, **basic(web))
    # The attempt did not use up the code.
    session.fetch_token(dance.metadata["token_endpoint"], authorization_response=callback, **basic(web))


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_a_revoked_token_is_refused(dance, provider, web, kind):
    done = dance(web, **basic(web))
    assert done.session.get(provider.me).status_code == 200
    url, headers, body = done.session._client.prepare_token_revocation_request(
        dance.metadata["revocation_endpoint"], done.token[kind], token_type_hint=kind
    )
    assert done.session.post(url, headers=headers, data=body, withhold_token=True, **basic(web)).status_code == 200
    answer = done.session.get(provider.me)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    with pytest.raises(InvalidGrantError):
        done.session.refresh_token(dance.metadata["token_endpoint"], **basic(web))


def test_a_machine_gets_a_token_for_itself(dance, provider, machine):
    with OAuth2Session(client=BackendApplicationClient(machine.client_id, scope=["photos:read"])) as session:
        token = session.fetch_token(dance.metadata["token_endpoint"], **basic(machine))
        assert session.get(provider.me).json() == {"client_id": machine.client_id, "scope": "photos:read"}
    assert token["scope"] == ["photos:read"]
    assert "refresh_token" not in token


def refresh_with(client, authentication):
    if authentication is basic:
        return basic(client)
    return {"client_id": client.client_id, "client_secret": client.client_secret}
