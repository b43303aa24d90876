"""`quadrille check`, at a provider that others wrote."""

import json
import subprocess
from contextlib import contextmanager

from quadrille import PROGRAM, ROOT

SERVER = ROOT / "interop/servers/openid-provider.js"
WEBSITE = {"client_id": "web", "client_secret": "s" * 40, "redirect_uris": ["https://app.example/cb"]}


@contextmanager
def oidc_provider():
    server = subprocess.Popen(["node", SERVER], cwd=SERVER.parent, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with server:
        server.stdin.write(json.dumps({"clients": [WEBSITE]}) + "\n")
        server.stdin.flush()
        yield json.loads(server.stdout.readline())["issuer"]
        server.stdin.close()


def check(issuer, *arguments):
    command = [PROGRAM, "check", issuer, "--client-id", "web", "--redirect-uri", "https://app.example/cb", *arguments]
    return subprocess.run(command, env={}, capture_output=True, text=True)


def test_oidc_provider_is_right_but_for_what_it_leaves_out():
    with oidc_provider() as issuer:
        done, told = check(issuer, "--json"), check(issuer)
    findings = json.loads(done.stdout)["findings"]
    odd = {one["requirement"]: one for one in findings if one["outcome"] != "passed"}
    # It has POST by a setting only.
    errors = {requirement: one["section"] for requirement, one in odd.items() if one["outcome"] == "error"}
    core = "OpenID Connect Core 1.0, section 3.1.2.1"
    assert (done.returncode, errors) == (9, {"authorization requests may be sent by POST": core})
    assert odd["a request without a token gets 401"]["found"] == "status 400"
    assert set(odd) - set(errors) == {
        "`response_types_supported` has `id_token token`, as clients may register",
        "no response type sends access tokens in redirects",
        "`Cache-Control` has `max-age`, so that clients know when to fetch anew",
        "the page cannot be framed",
        "a request without a token gets 401",
    }
    assert {one["part"] for one in findings} == {
        "metadata",
        "oauth_metadata",
        "keys",
        "authorization",
        "token",
        "userinfo",
        "revocation",
        "introspection",
        "registration",
        "device_authorization",
        "end_session",
    }
    # People read the same by part, each with its section.
    assert told.returncode == 9
    assert "Authorization endpoint\n" in told.stdout
    finding = "  ERROR    authorization requests may be sent by POST\n           found: status 404\n"
    assert finding + f"           {core}\n" in told.stdout
    assert told.stdout.rstrip().endswith("1 error")
