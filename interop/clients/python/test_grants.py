"""Grants without a browser, and clients that sign assertions, by Authlib."""

import json
import subprocess
from types import SimpleNamespace

import pytest
import requests
from authlib.integrations.requests_client import AssertionSession, OAuth2Session
from authlib.oauth2.rfc7523 import ClientSecretJWT, PrivateKeyJWT
from joserfc.jwk import ECKey, OKPKey, RSAKey

from quadrille import ROOT

PROGRAM = ROOT / "target/debug/examples/grants"
PARTNER = "https://partner.example"
KEYS = [(ECKey, "P-256", "ES256"), (RSAKey, 2048, "RS256"), (RSAKey, 2048, "PS256"), (OKPKey, "Ed25519", "Ed25519")]


def key(kind, size):
    return kind.generate_key(size, {"kid": "1"}, private=True)


def jwks(key, file):
    file.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    return str(file)


def session(provider, client, method):
    """A session that authenticates by signed assertions, whose audience is the issuer."""
    session = OAuth2Session(
        client.client_id,
        getattr(client, "secret", client.client_secret),
        token_endpoint_auth_method=method.name,
        revocation_endpoint_auth_method=method.name,
        scope="photos:read",
    )
    session.register_client_auth_method(method)
    return session




@pytest.mark.parametrize(("kind", "size", "alg"), KEYS)
def test_a_client_signs_with_its_private_key(provider, tmp_path, kind, size, alg):
    private = key(kind, size)
    options = ("--private-key-jwt", "--jwks", jwks(private, tmp_path / "jwks"), "--assertion-alg", alg)
    client = provider.client("Robot", "--grant", "client_credentials", "--scope", "photos:read", *options)
    assert client.client_secret is None and client.token_endpoint_auth_method == "private_key_jwt"
    client.secret = private
    robot = session(provider, client, PrivateKeyJWT(provider.issuer, alg=alg, headers={"kid": "1"}))
    for _ in range(3):
        token = robot.fetch_token(provider.issuer + "/oauth/token", grant_type="client_credentials")
        assert token["scope"] == "photos:read"
    told = robot.introspect_token(provider.issuer + "/oauth/introspect", token["access_token"])
    assert told.json()["active"] is True
    assert robot.revoke_token(provider.issuer + "/oauth/revoke", token["access_token"]).status_code == 200


def test_a_client_signs_with_its_secret(provider):
    client = provider.client(
        "Robot", "--grant", "client_credentials", "--scope", "photos:read", "--client-secret-jwt"
    )
    robot = session(provider, client, ClientSecretJWT(provider.issuer))
    assert robot.fetch_token(provider.issuer + "/oauth/token", grant_type="client_credentials")["scope"] == "photos:read"
    endpoint = provider.issuer + "/oauth/token"
    basic = requests.post(
        endpoint, auth=(client.client_id, client.client_secret), data={"grant_type": "client_credentials"}, timeout=10
    )
    assert (basic.status_code, basic.json()["error"]) == (401, "invalid_client"), "one method only"


def test_an_assertion_for_the_endpoint_is_refused(provider):
    client = provider.client(
        "Robot", "--grant", "client_credentials", "--scope", "photos:read", "--client-secret-jwt"
    )
    endpoint = provider.issuer + "/oauth/token"
    robot = session(provider, client, ClientSecretJWT(endpoint))
    with pytest.raises(Exception, match="audience"):
        robot.fetch_token(endpoint, grant_type="client_credentials")


@pytest.fixture(scope="module")
def application(tmp_path_factory):
    if not PROGRAM.exists():
        raise RuntimeError(f"{PROGRAM} is missing; build it: make program")
    private = key(ECKey, "P-256")
    file = jwks(private, tmp_path_factory.mktemp("grants") / "jwks")
    process = subprocess.Popen([PROGRAM, file], stdout=subprocess.PIPE, text=True)
    try:
        yield SimpleNamespace(**json.loads(process.stdout.readline()), key=private)
    finally:
        process.kill()
        process.communicate()


def partner(application, subject="17", **changes):
    return AssertionSession(
        token_endpoint=application.issuer + "/oauth/token",
        issuer=PARTNER,
        subject=subject,
        audience=changes.get("audience", application.issuer),
        grant_type=AssertionSession.JWT_BEARER_GRANT_TYPE,
        header={"alg": "ES256"},
        key=application.key,
        scope="photos:read photos:write",
    )


def test_a_service_account_gets_tokens_for_users_of_a_partner(application):
    answer = partner(application).get(application.issuer + "/api/photos")
    assert answer.json() == {"user": "ada", "act": None}


@pytest.mark.parametrize("changes", [{"subject": "18"}, {"audience": "https://other.example"}])
def test_other_assertions_are_refused(application, changes):
    with pytest.raises(Exception, match="invalid_grant"):
        partner(application, **changes).get(application.issuer + "/api/photos")
