"""A provider over the application's own tables of clients and users.

One old client sees passwords, another one signs, as OAuth 1.0a has it.
"""

import json
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest
from oauthlib.oauth2 import LegacyApplicationClient
from oauthlib.oauth2.rfc6749.errors import InvalidGrantError
from requests_oauthlib import OAuth1Session, OAuth2Session

from browser import Browser
from quadrille import ROOT

PROGRAM = ROOT / "target/debug/examples/own_tables"
ADA = {"username": "ada", "password": "a dance for four"}


@pytest.fixture
def application(tmp_path):
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is missing; build it: make program")
    process = subprocess.Popen([PROGRAM, tmp_path / "own_tables.db"], stdout=subprocess.PIPE, text=True)
    try:
        yield SimpleNamespace(**json.loads(process.stdout.readline()), database=tmp_path / "own_tables.db")
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


CALLBACK = "https://printer.example/callback"


def change(application, sql, *values):
    with closing(sqlite3.connect(application.database)) as database, database:
        database.execute(sql, values)


def signed(application, **key):
    session = OAuth1Session("old-printer", callback_uri=CALLBACK, **key)
    session.fetch_request_token(f"{application.issuer}/oauth/request_token")
    session.parse_authorization_response(
        Browser("", "", CALLBACK).authorize(session.authorization_url(f"{application.issuer}/oauth/authorize"))
    )
    session.fetch_access_token(f"{application.issuer}/oauth/access_token")
    assert session.get(f"{application.issuer}/api/photos").json() == ["a photo of user 1"]
    return session


def test_requests_oauthlib_signs_with_the_secret_in_the_table(application):
    session = signed(application, client_secret="kd94hf93k423kf44", signature_method="HMAC-SHA256")
    change(application, "UPDATE apps SET is_blocked = 1 WHERE id = 'old-printer'")
    deadline = time.monotonic() + 10
    while session.get(f"{application.issuer}/api/photos").status_code != 401:
        assert time.monotonic() < deadline


def test_requests_oauthlib_signs_with_the_key_in_the_table(application, rsa):
    private, public = rsa()
    sql = "UPDATE apps SET oauth1_secret = NULL, oauth1_rsa_key = ? WHERE id = 'old-printer'"
    change(application, sql, Path(public).read_text())
    signed(application, rsa_key=private, signature_method="RSA-SHA256")
