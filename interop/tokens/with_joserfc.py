"""joserfc, which Authlib uses, beside our tokens. Reads and prints what with_pyjwt.py does, and our key's thumbprint."""

import json
import sys

from joserfc import jwk, jwt

CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}


def generate(name):
    if name in CURVES:
        return jwk.ECKey.generate_key(CURVES[name])
    if name.startswith("Ed"):
        return jwk.OKPKey.generate_key("Ed25519")
    if name.startswith("HS"):
        return jwk.OctKey.generate_key(int(name[2:]))
    return jwk.RSAKey.generate_key(2048)


def answer(name, ours):
    private = jwk.import_key(ours["private"])
    public = jwk.import_key(ours["public"] or ours["private"])
    token = jwt.decode(ours["token"], public, algorithms=[name])
    claims = token.claims
    jwt.JWTClaimsRegistry(aud={"essential": True, "value": "https://api.example"}).validate(claims)
    own = generate(name)
    shared = name.startswith("HS")
    return {
        "claims": claims,
        "header": token.header,
        "thumbprint": public.thumbprint(),
        "token": jwt.encode({"alg": name}, claims, private, algorithms=[name]),
        "own": {
            "private": own.as_dict(private=True),
            "public": None if shared else own.as_dict(private=False),
            "pem": None if shared else own.as_pem(private=True).decode(),
            "token": jwt.encode({"alg": name, "kid": "own"}, claims, own, algorithms=[name]),
        },
    }


json.dump({name: answer(name, ours) for name, ours in json.load(sys.stdin).items()}, sys.stdout)
