"""The metadata (RFC 8414), as Authlib checks it and the other tests need it."""

from authlib.oauth2.rfc8414 import AuthorizationServerMetadata


def test_authlib_finds_nothing_wrong_with_the_metadata(provider):
    AuthorizationServerMetadata(provider.metadata()).validate()


def test_metadata_names_the_issuer_it_was_asked_for_and_what_is_enabled(provider):
    metadata = provider.metadata()
    assert metadata["issuer"] == provider.issuer
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert set(metadata["grant_types_supported"]) == {"authorization_code", "refresh_token", "client_credentials"}
    secrets, assertions = {"client_secret_basic", "client_secret_post"}, {"client_secret_jwt", "private_key_jwt"}
    for methods in ("token_endpoint_auth_methods_supported", "revocation_endpoint_auth_methods_supported"):
        assert set(metadata[methods]) == secrets | assertions | {"none"}
    for endpoint in ("authorization_endpoint", "token_endpoint", "revocation_endpoint"):
        assert metadata[endpoint].startswith(provider.issuer + "/")
