"""A provider over the application's own tables of clients and users, and an old client that sees passwords."""

import json
import subprocess
import time
from types import SimpleNamespace

import pytest
from oauthlib.oauth2 import LegacyApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests_oauthlib import OAuth2Session

from quadrille import ROOT

PROGRAM = ROOT / "target/debug/examples/own_tables"
ADA = {"username": "ada", "password": "a dance for four"}


@pytest.fixture
def application(tmp_path):
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is missing; build it: make program")
    process = subprocess.Popen([PROGRAM, tmp_path / "own_tables.db"], stdout=subprocess.PIPE, text=True)
    try:
        yield SimpleNamespace(**json.loads(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


def test_requests_oauthlib_until_the_account_is_deleted(application):
    session = OAuth2Session(client=LegacyApplicationClient("old-app", scope="photos:read"))
    endpoint = f"{application.issuer}/oauth/token"
    with pytest.raises(InvalidGrantError):
        session.fetch_token(endpoint, username="ada", password="wrong", include_client_id=True)
    session.fetch_token(endpoint, include_client_id=True, **ADA)
    assert session.get(f"{application.issuer}/api/photos").json() == ["a photo of user 1"]
    renewed = session.refresh_token(endpoint, client_id="old-app")
    assert session.get(f"{application.issuer}/api/photos").status_code == 200

    assert session.delete(f"{application.issuer}/api/me").status_code == 204
    # The server notices it within half a second.
    deadline = time.monotonic() + 10
    while session.get(f"{application.issuer}/api/photos").status_code != 401:
        assert time.monotonic() < deadline
    with pytest.raises(InvalidGrantError):
        session.refresh_token(endpoint, refresh_token=renewed["refresh_token"], client_id="old-app")
    with pytest.raises(InvalidGrantError):
        session.fetch_token(endpoint, include_client_id=True, **ADA)
