"""`quadrille check`, at a provider that others wrote."""

import json
import subprocess

from quadrille import PROGRAM, ROOT

SERVER = ROOT / "interop/servers/oidc-provider.js"
WEBSITE = {"client_id": "web", "client_secret": "s" * 40, "redirect_uris": ["https://app.example/cb"]}


def checked(issuer, *arguments):
    done = subprocess.run([PROGRAM, "check", issuer, "--json", *arguments], env={}, capture_output=True, text=True)
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, {one["requirement"]: one for one in findings if one["outcome"] != "passed"}


def test_oidc_provider_is_right_but_for_what_it_leaves_out():
    server = subprocess.Popen(["node", SERVER], cwd=SERVER.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with server:
        server.stdin.write(json.dumps(WEBSITE) + "\n")
        server.stdin.flush()
        issuer = json.loads(server.stdout.readline())["issuer"]
        code, odd = checked(issuer, "--client-id", "openid", "--redirect-uri", "https://app.example/cb")
        server.stdin.close()
    # It has POST by a setting only.
    errors = {requirement for requirement, one in odd.items() if one["outcome"] == "error"}
    assert (code, errors) == (9, {"authorization requests may be sent by POST"})
    assert odd["a request without a token gets 401"]["found"] == "status 400"
    assert set(odd) - errors == {
        "`Cache-Control` has `max-age`, so that clients know when to fetch anew",
        "the page cannot be framed",
        "a request without a token gets 401",
    }
