"""An application that embeds the provider beside its own tables, and lets users allow a part of the requested scopes."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as Authlib
from requests_oauthlib import OAuth2Session

from browser import Browser
from quadrille import REDIRECT_URI, ROOT, SCOPE

PROGRAM = ROOT / "target/debug/examples/embedded"


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is missing; build it: make program")
    database = tmp_path_factory.mktemp("embedded") / "application.db"
    process = subprocess.Popen([PROGRAM, database, REDIRECT_URI], stdout=subprocess.PIPE, text=True)
    try:
        yield SimpleNamespace(**json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def person():
    return Browser("ada", "", REDIRECT_URI, unticks=["photos:write"])


def check(application, token, get):
    assert set(token["scope"] if isinstance(token["scope"], list) else token["scope"].split()) == {"photos:read"}
    assert get(f"{application.issuer}/api/photos").json()[0].startswith("a photo of ")


def test_requests_oauthlib_refreshes_after_a_partial_consent(application, person, monkeypatch):
    # By default, the client warns of scopes that differ from the requested ones.
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")
    session = OAuth2Session(application.client_id, redirect_uri=REDIRECT_URI, scope=SCOPE.split(), pkce="S256")
    url, _ = session.authorization_url(f"{application.issuer}/oauth/authorize")
    endpoint = f"{application.issuer}/oauth/token"
    token = session.fetch_token(
        endpoint, authorization_response=person.authorize(url), client_secret=application.client_secret
    )
    check(application, token, session.get)
    for _ in range(3):
        renewed = session.refresh_token(endpoint, auth=(application.client_id, application.client_secret))
        check(application, renewed, session.get)


def test_authlib_refreshes_after_a_partial_consent(application, person):
    session = Authlib(
        application.client_id,
        application.client_secret,
        redirect_uri=REDIRECT_URI,
        scope=SCOPE,
        code_challenge_method="S256",
    )
    verifier = "v" * 64
    url, _ = session.create_authorization_url(f"{application.issuer}/oauth/authorize", code_verifier=verifier)
    endpoint = f"{application.issuer}/oauth/token"
    token = session.fetch_token(endpoint, authorization_response=person.authorize(url), code_verifier=verifier)
    check(application, token, session.get)
    for _ in range(3):
        renewed = session.refresh_token(endpoint, session.token["refresh_token"], scope=SCOPE)
        check(application, renewed, session.get)


def test_the_application_has_its_own_clients(application):
    assert requests.get(f"{application.issuer}/customers", timeout=10).json() == ["Acme"]
