"""Authlib verifies an access token of ours (RFC 9068) as an API would, with the keys that the issuer publishes.

Reads {"issuer", "audience", "token", "other"} from standard input; prints the claims.
"""

import json
import sys

import requests
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

asked = json.load(sys.stdin)
metadata = requests.get(asked["issuer"] + "/.well-known/oauth-authorization-server", timeout=10).json()


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return requests.get(metadata["jwks_uri"], timeout=10).json()


def validate(token, audience, scope):
    validator = Validator(issuer=asked["issuer"], resource_server=audience)
    claims = validator.authenticate_token(token)
    validator.validate_token(claims, [scope], None)
    return claims


def rejected(token, audience, scope="photos:read"):
    try:
        validate(token, audience, scope)
    except Exception:
        return True
    return False


print(
    json.dumps(
        {
            "claims": dict(validate(asked["token"], asked["audience"], "photos:read")),
            "rejects_another_audience": rejected(asked["token"], "https://mail.example"),
            "rejects_a_changed_token": rejected(asked["other"], asked["audience"]),
            "rejects_too_little_scope": rejected(asked["token"], asked["audience"], "photos:write"),
        }
    )
)
