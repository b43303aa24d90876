"""joserfc beside our encrypted tokens: reads for each algorithm our key and a token for it, and prints what the token
says, and a token of its own for the key."""

import json
import sys

from joserfc import jwe, jwk


def answer(ours):
    key = jwk.import_key(ours["private"])
    algorithms = [ours["alg"], ours["enc"]]
    opened = jwe.decrypt_compact(ours["token"], key, algorithms=algorithms)
    header = {"alg": ours["alg"], "enc": ours["enc"], "cty": "JWT"}
    public = jwk.import_key(ours["public"] or ours["private"])
    return {
        "payload": opened.plaintext.decode(),
        "header": opened.headers(),
        "token": jwe.encrypt_compact(header, opened.plaintext, public, algorithms=algorithms),
    }


json.dump({name: answer(ours) for name, ours in json.load(sys.stdin).items()}, sys.stdout)
