"""Applications in Python that are tested against a fake of a service: `quadrille fake`."""

import json
import os
import re
import subprocess

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from requests_oauthlib import OAuth1Session, OAuth2Session

from quadrille import PROGRAM, ROOT

CALLBACK = "http://localhost:3000/callback"


@pytest.fixture
def fake():
    """Starts a fake of a service, which ends with the test."""
    running = []

    def start(service, *arguments):
        command = [PROGRAM, "fake", service, "--port", "0", "--json", *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return json.loads(process.stdout.readline())

    yield start
    for process in running:
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.stdout.close()


def approve(url, **button):
    """Presses a button on the page of the fake, and returns where the browser goes."""
    page = requests.get(url)
    assert page.status_code == 200 and "<form" in page.text
    answer = requests.post(url, data=button, allow_redirects=False)
    return answer.headers["location"]


def test_authlib_logs_in_at_a_fake_of_github(fake):
    github = fake("github", "--user", '{"login": "grace"}')
    method = {"token_endpoint_auth_method": github["token_endpoint_auth_method"], "redirect_uri": CALLBACK}
    session = AuthlibSession(github["client_id"], github["client_secret"], scope="read:user", **method)
    url, state = session.create_authorization_url(github["authorization_endpoint"])
    callback = approve(url, allow=1)
    session.fetch_token(github["token_endpoint"], authorization_response=callback, state=state)
    session.headers["User-Agent"] = "album"
    assert session.get(github["account"]).json()["login"] == "grace"
    # The secret of another application is refused.
    wrong = AuthlibSession(github["client_id"], "another", **method)
    url, _ = wrong.create_authorization_url(github["authorization_endpoint"])
    with pytest.raises(Exception, match="incorrect_client_credentials|invalid_client"):
        wrong.fetch_token(github["token_endpoint"], authorization_response=approve(url, allow=1))


def test_a_test_turns_faults_on_and_off(fake):
    gitlab = fake("gitlab", "--approve-as", "7")
    session = OAuth2Session(gitlab["client_id"], redirect_uri=CALLBACK)
    url, _ = session.authorization_url(gitlab["authorization_endpoint"])
    changed = requests.put(gitlab["control"] + "/faults", json=["denied"])
    assert changed.status_code == 204
    denied = requests.get(url, allow_redirects=False).headers["location"]
    assert "error=access_denied" in denied
    requests.put(gitlab["control"] + "/faults", json=[])
    callback = requests.get(url, allow_redirects=False).headers["location"].replace("http:", "https:", 1)
    session.fetch_token(
        gitlab["token_endpoint"], authorization_response=callback, client_secret=gitlab["client_secret"]
    )
    assert session.get(gitlab["account"]).json()["id"] in (7, "7")
    requests.put(gitlab["control"] + "/faults", json=["everything_expired"])
    assert session.get(gitlab["account"]).status_code == 401


def test_requests_oauthlib_logs_in_at_a_fake_of_twitter(fake):
    twitter = fake("twitter")
    session = OAuth1Session(twitter["client_id"], twitter["client_secret"], callback_uri=CALLBACK)
    session.fetch_request_token(twitter["temporary_credentials_endpoint"])
    callback = approve(session.authorization_url(twitter["authorization_endpoint"]), allow=1)
    session.parse_authorization_response(callback)
    session.fetch_access_token(twitter["token_endpoint"])
    assert session.get(twitter["account"]).json()["screen_name"] == "ada"


def test_the_example_of_the_guide_runs_as_it_is(monkeypatch):
    guide = (ROOT / "docs/src/testing/servers.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    monkeypatch.setenv("PATH", f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}")
    names = {}
    exec(example, names)
    assert names["process"].wait(timeout=20) == 0
    names["process"].stdout.close()


@pytest.mark.parametrize("include_client_id", [True, False])
@pytest.mark.parametrize("service", ["github", "google", "azure", "gitlab", "discord", "dropbox", "osm", "spotify"])
def test_the_secret_comes_in_the_header_or_in_the_form(fake, service, include_client_id, monkeypatch):
    it = fake(service, "--approve-as", "1")
    session = OAuth2Session(it["client_id"], redirect_uri=CALLBACK, scope="openid")
    url, _ = session.authorization_url(it["authorization_endpoint"])
    callback = requests.get(url, allow_redirects=False).headers["location"].replace("http:", "https:", 1)
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")  # some grant others than those requested
    secret = {"include_client_id": include_client_id, "client_secret": it["client_secret"]}
    token = session.fetch_token(it["token_endpoint"], authorization_response=callback, **secret)
    assert token["access_token"]
