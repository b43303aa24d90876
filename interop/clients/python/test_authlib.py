"""Authlib's client, in both its forms: over requests and over httpx."""

import pytest
from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.integrations.requests_client import OAuth2Session

from browser import parameters
from quadrille import REDIRECT_URI, SCOPE, USER


@pytest.fixture(params=[OAuth2Session, OAuth2Client], ids=["requests", "httpx"])
def session(request, provider):
    """Makes sessions with the endpoints in the provider's metadata."""
    metadata = provider.metadata()
    opened = []

    def session(client, method="client_secret_basic", scope=SCOPE):
        opened.append(
            request.param(
                client.client_id,
                client.client_secret,
                scope=scope,
                redirect_uri=REDIRECT_URI,
                code_challenge_method="S256",
                token_endpoint_auth_method=method,
                revocation_endpoint_auth_method=method,
                token_endpoint=metadata["token_endpoint"],
                metadata_=metadata,
            )
        )
        return opened[-1]

    session.metadata = metadata
    yield session
    for one in opened:
        one.close()


@pytest.fixture
def log_in(provider, browser, session):
    def log_in(client, method="client_secret_basic"):
        one = session(client, method)
        verifier = generate_token(48)
        url, state = one.create_authorization_url(session.metadata["authorization_endpoint"], code_verifier=verifier)
        callback = browser.authorize(url)
        assert parameters(callback)["iss"] == provider.issuer
        arguments = {"authorization_response": callback, "state": state, "code_verifier": verifier}
        token = one.fetch_token(session.metadata["token_endpoint"], **arguments)
        return one, dict(token), arguments

    return log_in


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_confidential_client_logs_in_refreshes_and_calls_the_api(provider, session, log_in, web, method):
    one, token, _ = log_in(web, method)
    assert set(token["scope"].split()) == set(SCOPE.split())
    me = one.get(provider.me).json()
    assert (me["username"], me["client_id"]) == (USER, web.client_id)
    renewed = one.refresh_token(session.metadata["token_endpoint"])
    assert renewed["access_token"] != token["access_token"]
    assert renewed["refresh_token"] != token["refresh_token"]
    assert one.get(provider.me).json() == me


def test_a_public_client_logs_in_and_refreshes(session, log_in, public):
    one, token, _ = log_in(public, "none")
    renewed = one.refresh_token(session.metadata["token_endpoint"])
    assert renewed["refresh_token"] != token["refresh_token"]


def test_a_used_code_fails(session, log_in, web):
    one, _, arguments = log_in(web)
    with pytest.raises(AuthlibBaseError) as refused:
        one.fetch_token(session.metadata["token_endpoint"], **arguments)
    assert refused.value.error == "invalid_grant"


@pytest.mark.parametrize("kind", ["refresh_token", "access_token"])
def test_a_revoked_token_is_refused(provider, session, log_in, web, kind):
    one, token, _ = log_in(web)
    assert one.get(provider.me).status_code == 200
    answer = one.revoke_token(session.metadata["revocation_endpoint"], token=token[kind], token_type_hint=kind)
    assert answer.status_code == 200
    answer = one.get(provider.me)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    with pytest.raises(AuthlibBaseError) as refused:
        one.refresh_token(session.metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert refused.value.error == "invalid_grant"


def test_a_machine_gets_a_token_for_itself(session, machine):
    token = session(machine, scope="photos:read").fetch_token(
        session.metadata["token_endpoint"], grant_type="client_credentials"
    )
    assert token["scope"] == "photos:read"
    assert "refresh_token" not in token


def test_a_wrong_secret_is_invalid_client(session, provider):
    machine = provider.machine_client()
    machine.client_secret = "not-it"
    with pytest.raises(AuthlibBaseError) as refused:
        session(machine).fetch_token(session.metadata["token_endpoint"], grant_type="client_credentials")
    assert refused.value.error == "invalid_client"
