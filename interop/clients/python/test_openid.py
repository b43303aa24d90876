"""Authlib as a client of OpenID Connect: its validator of ID tokens, with the keys of the provider."""

import time
from urllib.parse import urlencode

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken, HybridIDToken, ImplicitIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import InvalidClaimError
from joserfc.jwk import KeySet

from browser import parameters
from quadrille import REDIRECT_URI, USER, Quadrille

SCOPE = "openid profile"


@pytest.fixture(scope="module")
def provider(tmp_path_factory):
    settings = {"QUADRILLE_OPENID": "true", "QUADRILLE_OPENID_RESPONSE_TYPES": "id_token,code id_token"}
    provider = Quadrille(tmp_path_factory.mktemp("openid"), **settings)
    yield provider
    provider.stop()


@pytest.fixture(scope="module")
def metadata(provider):
    answer = requests.get(provider.issuer + "/.well-known/openid-configuration", timeout=10)
    return OpenIDProviderMetadata(answer.json())


@pytest.fixture(scope="module")
def client(provider):
    return provider.client("Relying party", "--redirect-uri", REDIRECT_URI, "--scope", "openid", "--scope", "profile")


@pytest.fixture
def log_in(provider, browser, metadata, client):
    def log_in(**further):
        one = OAuth2Session(
            client.client_id,
            client.client_secret,
            scope=SCOPE,
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
            token_endpoint=metadata["token_endpoint"],
        )
        verifier, nonce = generate_token(48), generate_token(20)
        url, state = one.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=verifier, nonce=nonce, **further
        )
        callback = browser.authorize(url)
        if further.get("response_mode") == "form_post":
            assert callback == REDIRECT_URI
            callback += "?" + urlencode(browser.posted)
        assert parameters(callback)["iss"] == provider.issuer
        token = one.fetch_token(authorization_response=callback, state=state, code_verifier=verifier)
        return one, dict(token), nonce

    return log_in


@pytest.fixture
def verified(provider, metadata, client):
    """The claims of an ID token, as Authlib's integrations verify them."""

    def verified(token, kind=CodeIDToken, client=client, **further):
        keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=10).json())
        algorithms = metadata["id_token_signing_alg_values_supported"]
        read = jwt.decode(token["id_token"], keys, algorithms=algorithms)
        claims = kind(
            read.claims,
            read.header,
            {"iss": {"values": [provider.issuer]}},
            {"client_id": client.client_id, "access_token": token.get("access_token"), **further},
        )
        claims.validate(leeway=60)
        return claims

    return verified


def test_the_metadata_is_valid(metadata, provider):
    assert metadata["issuer"] == provider.issuer
    for name in [
        "jwks_uri",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "display_values_supported",
        "ui_locales_supported",
        "claim_types_supported",
        "claims_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
    ]:
        assert name in metadata
    metadata.validate_subject_types_supported()
    metadata.validate_id_token_signing_alg_values_supported()
    metadata.validate_claims_parameter_supported()


def test_the_id_token_is_valid_and_the_userinfo_is_of_the_same_user(log_in, verified, metadata):
    one, token, nonce = log_in()
    claims = verified(token, nonce=nonce)
    assert claims["at_hash"]
    user = UserInfo(one.get(metadata["userinfo_endpoint"]).json())
    assert (user["sub"], user["preferred_username"]) == (claims["sub"], USER)


def test_a_code_comes_by_post(log_in, verified):
    _, token, nonce = log_in(response_mode="form_post")
    assert verified(token, nonce=nonce)["at_hash"]


def test_another_nonce_or_access_token_is_noticed(log_in, verified):
    _, token, nonce = log_in()
    with pytest.raises(InvalidClaimError):
        verified(token, nonce="another")
    with pytest.raises(InvalidClaimError):
        verified({**token, "access_token": "another"}, nonce=nonce)


def test_a_refreshed_id_token_is_of_the_same_sign_in(log_in, verified, metadata):
    one, token, nonce = log_in()
    before = verified(token, nonce=nonce)
    renewed = dict(one.refresh_token(metadata["token_endpoint"]))
    now = verified(renewed)
    assert [now[name] for name in ("sub", "aud", "auth_time")] == [
        before[name] for name in ("sub", "aud", "auth_time")
    ]
    assert "nonce" not in now


def test_the_age_of_the_sign_in_is_known(log_in, verified):
    _, token, nonce = log_in(max_age=600)
    claims = verified(token, nonce=nonce, max_age=600)
    assert abs(claims["auth_time"] - time.time()) < 60


@pytest.mark.parametrize(("response_type", "kind"), [("code id_token", HybridIDToken), ("id_token", ImplicitIDToken)])
def test_an_id_token_in_the_redirect_is_valid(provider, browser, metadata, verified, response_type, kind):
    options = ("--redirect-uri", REDIRECT_URI, "--scope", "openid", "--response-type", response_type)
    client = provider.client("Old relying party", *options)
    one = OAuth2Session(
        client.client_id,
        scope="openid",
        redirect_uri=REDIRECT_URI,
        response_type=response_type,
    )
    nonce = generate_token(20)
    # Authlib sends a challenge with the response type code alone.
    challenge = {"code_challenge": create_s256_code_challenge(generate_token(48)), "code_challenge_method": "S256"}
    url, state = one.create_authorization_url(metadata["authorization_endpoint"], nonce=nonce, **challenge)
    answer = parameters(browser.authorize(url))
    assert answer["state"] == state
    claims = verified(answer, kind, client, nonce=nonce, code=answer.get("code"))
    assert ("c_hash" in claims) == ("code" in answer)
    if "code" in answer:
        with pytest.raises(InvalidClaimError):
            verified(answer, kind, client, nonce=nonce, code="another")
