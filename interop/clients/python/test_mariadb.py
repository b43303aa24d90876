"""Each grant of an application that has its provider in MariaDB (`examples/provider_in_database.rs` of `quadrille-sqlx`)."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as Authlib
from oauthlib.oauth2 import DeviceClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError, OAuth2Error
from requests_oauthlib import OAuth1Session, OAuth2Session

import databases
from browser import Browser
from quadrille import REDIRECT_URI, ROOT

PROGRAM = ROOT / "target/debug/examples/provider_in_database"


@pytest.fixture(scope="module")
def application():
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is missing; build it: make program")
    process = subprocess.Popen([PROGRAM, databases.mariadb(), REDIRECT_URI], stdout=subprocess.PIPE, text=True)
    try:
        told = json.loads(process.stdout.readline())
        clients = {name: SimpleNamespace(**client) for name, client in told.items() if name != "issuer"}
        yield SimpleNamespace(issuer=told["issuer"], token=f"{told['issuer']}/oauth/token", **clients)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def visitor():
    visitor = Browser("", "", REDIRECT_URI)
    yield visitor
    visitor.http.close()


def photos(application, session):
    answer = session.get(f"{application.issuer}/api/photos")
    return answer.json() if answer.status_code == 200 else answer.status_code


@pytest.mark.parametrize("name", ["web", "public"])
def test_a_code_is_redeemed_once_and_its_tokens_are_refreshed_and_revoked(application, visitor, name):
    client = getattr(application, name)
    session = OAuth2Session(client.id, redirect_uri=REDIRECT_URI, scope=["photos:read"], pkce="S256")
    url, _ = session.authorization_url(f"{application.issuer}/oauth/authorize")
    back = visitor.authorize(url)
    secret = {"client_secret": client.secret} if client.secret else {"include_client_id": True}
    token = session.fetch_token(application.token, authorization_response=back, **secret)
    assert photos(application, session) == ["a photo of ada"]
    credentials = {"client_id": client.id} | ({"client_secret": client.secret} if client.secret else {})
    for _ in range(3):
        renewed = session.refresh_token(application.token, **credentials)
        assert renewed["refresh_token"] != token["refresh_token"]
        token = renewed
    assert photos(application, session) == ["a photo of ada"]
    told = requests.post(f"{application.issuer}/oauth/revoke", data={"token": token["access_token"], **credentials}, timeout=10)
    assert told.status_code == 200
    assert photos(application, session) == 401
    with pytest.raises(InvalidGrantError):
        session.refresh_token(application.token, **credentials)


def test_a_code_that_is_used_twice_ends_what_it_bought(application, visitor):
    client = application.web
    session = Authlib(
        client.id, client.secret, redirect_uri=REDIRECT_URI, scope="photos:read", code_challenge_method="S256"
    )
    verifier = "v" * 64
    url, _ = session.create_authorization_url(f"{application.issuer}/oauth/authorize", code_verifier=verifier)
    back = visitor.authorize(url)
    session.fetch_token(application.token, authorization_response=back, code_verifier=verifier)
    assert photos(application, session) == ["a photo of ada"]
    with pytest.raises(Exception, match="invalid_grant"):
        session.fetch_token(application.token, authorization_response=back, code_verifier=verifier)
    assert photos(application, session) == 401


def test_a_machine_gets_a_token_and_learns_what_it_is_worth(application):
    client = application.machine
    session = Authlib(client.id, client.secret, scope="photos:read")
    token = session.fetch_token(application.token, grant_type="client_credentials")
    assert photos(application, session) == ["a photo of nobody"]
    told = session.introspect_token(f"{application.issuer}/oauth/introspect", token["access_token"]).json()
    assert (told["active"], told["client_id"]) == (True, client.id)


def test_a_device_is_let_in_once(application, visitor):
    client = application.device
    asked = {"client_id": client.id, "scope": "photos:read"}
    codes = requests.post(f"{application.issuer}/oauth/device_authorization", data=asked, timeout=10).json()
    session = OAuth2Session(client=DeviceClient(client.id))

    def poll():
        return session.fetch_token(application.token, device_code=codes["device_code"], include_client_id=True)

    with pytest.raises(OAuth2Error, match="authorization_pending"):
        poll()
    visitor.visit(codes["verification_uri_complete"], decision="allow")
    poll()
    assert photos(application, session) == ["a photo of ada"]
    with pytest.raises(InvalidGrantError):
        poll()


def test_a_client_of_oauth_1_signs(application, visitor):
    client = application.signing
    session = OAuth1Session(
        client.id, client_secret=client.secret, callback_uri=REDIRECT_URI, signature_method="HMAC-SHA256"
    )
    session.fetch_request_token(f"{application.issuer}/oauth/request_token")
    back = visitor.authorize(session.authorization_url(f"{application.issuer}/oauth/authorize"))
    session.parse_authorization_response(back)
    session.fetch_access_token(f"{application.issuer}/oauth/access_token")
    for _ in range(3):
        assert photos(application, session) == ["a photo of ada"]
