"""Clients that register themselves, as applications of the Model Context Protocol do, over requests and Authlib."""

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session

from quadrille import REDIRECT_URI, USER, Quadrille

OPEN = "open-to-anybody-so-that-strangers-add-clients"
METADATA = {
    "client_name": "Tool",
    "redirect_uris": [REDIRECT_URI],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
}


@pytest.fixture(scope="module")
def strangers(tmp_path_factory):
    provider = Quadrille(tmp_path_factory.mktemp("quadrille"), QUADRILLE_REGISTRATION=OPEN)
    yield provider
    provider.stop()


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_client_that_nobody_registered_finds_its_way_in(strangers, browser, method):
    metadata = strangers.metadata()
    asked = {**METADATA, "token_endpoint_auth_method": method}
    answer = requests.post(metadata["registration_endpoint"], json=asked, timeout=10)
    assert answer.status_code == 201, answer.text
    client = answer.json()
    for name, value in asked.items():
        assert client[name] == value
    with OAuth2Session(
        client["client_id"],
        client.get("client_secret"),
        scope=client["scope"],
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint_auth_method=client["token_endpoint_auth_method"],
    ) as session:
        verifier = generate_token(48)
        url, state = session.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        callback = browser.authorize(url)
        session.fetch_token(
            metadata["token_endpoint"], authorization_response=callback, state=state, code_verifier=verifier
        )
        session.refresh_token(metadata["token_endpoint"])
        me = session.get(strangers.me).json()
        assert (me["username"], me["client_id"]) == (USER, client["client_id"])
        # Its tokens end with its registration.
        bearer = {"Authorization": f"Bearer {client['registration_access_token']}"}
        gone = requests.delete(client["registration_client_uri"], headers=bearer, timeout=10)
        assert gone.status_code == 204
        assert session.get(strangers.me).status_code == 401
