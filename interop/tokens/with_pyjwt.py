"""PyJWT beside our tokens: verifies them, signs with our keys, and brings keys of its own.

Reads one JSON object from standard input, { ALGORITHM: { private, public, token } }, where the keys are JWKs (of an
HMAC there is no public one). Prints { ALGORITHM: { claims, header, token, own: { private, public, pem, token } } }:
the claims and the header of our token, a token signed with our key, and a key of its own with a token.
"""

import json
import secrets
import sys

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

AUDIENCE = "https://api.example"
CURVES = {"ES256": ec.SECP256R1, "ES384": ec.SECP384R1, "ES512": ec.SECP521R1}


def generate(name):
    if name in CURVES:
        return ec.generate_private_key(CURVES[name]())
    if name.startswith("Ed"):
        return ed25519.Ed25519PrivateKey.generate()
    if name.startswith("HS"):
        return secrets.token_bytes(int(name[2:]) // 8)
    return rsa.generate_private_key(65537, 2048)


def pem(key):
    """The older form where there is one, since joserfc's program writes the other."""
    if isinstance(key, bytes):
        return None
    older = not isinstance(key, ed25519.Ed25519PrivateKey)
    form = serialization.PrivateFormat.TraditionalOpenSSL if older else serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def answer(name, ours):
    algorithm = jwt.get_algorithm_by_name(name)
    private = jwt.PyJWK.from_dict(ours["private"], algorithm=name).key
    public = jwt.PyJWK.from_dict(ours["public"] or ours["private"], algorithm=name).key
    claims = jwt.decode(ours["token"], public, algorithms=[name], audience=AUDIENCE)
    own = generate(name)
    own_public = None if isinstance(own, bytes) else algorithm.to_jwk(own.public_key(), as_dict=True)
    return {
        "claims": claims,
        "header": jwt.get_unverified_header(ours["token"]),
        "token": jwt.encode(claims, private, algorithm=name),
        "own": {
            "private": algorithm.to_jwk(own, as_dict=True),
            "public": own_public,
            "pem": pem(own),
            "token": jwt.encode(claims, own, algorithm=name, headers={"kid": "own"}),
        },
    }


asked = json.load(sys.stdin)
known = jwt.algorithms.get_default_algorithms()
json.dump({name: answer(name, ours) for name, ours in asked.items() if name in known}, sys.stdout)
