"""A service of OAuth 1.0a built on oauthlib, for our consumer to log in with.

Reads one JSON line from standard input ({ client_key, client_secret, rsa_key, callbacks }; rsa_key is a
public key as PEM), prints one JSON line ({ issuer }) when it listens, and ends when standard input does.

Everything that oauthlib has a default for is left at it: lengths and alphabets of keys, tokens and nonces, the
window for timestamps. Where it does less than RFC 5849 or its extensions ask for, this program does the rest and
says so.
"""

import base64
import hashlib
import html
import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from oauthlib.oauth1 import RequestValidator, WebApplicationServer
from oauthlib.oauth1.rfc5849.errors import OAuth1Error

config = json.loads(sys.stdin.readline())


class Validator(RequestValidator):
    """A store with one client, and dictionaries for all other data."""

    enforce_ssl = False  # on loopback
    dummy_client = "dummydummydummydummydummy"
    dummy_request_token = dummy_client
    dummy_access_token = dummy_client

    def __init__(self):
        super().__init__()
        self.lock = threading.Lock()
        self.temporary, self.tokens, self.seen = {}, {}, set()

    @property
    def realms(self):
        return ["photos:read", "photos:write"]

    def validate_client_key(self, client_key, request):
        return client_key == config["client_key"]

    def get_client_secret(self, client_key, request):
        return config["client_secret"]

    def get_rsa_key(self, client_key, request):
        return config["rsa_key"]

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        once = (client_key, timestamp, nonce, request_token or access_token)
        with self.lock:
            fresh = once not in self.seen
            self.seen.add(once)
        return fresh

    def get_default_realms(self, client_key, request):
        return []

    def validate_requested_realms(self, client_key, realms, request):
        return all(realm in self.realms for realm in realms)

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri in (*config["callbacks"], "oob")  # exactly as registered

    def save_request_token(self, token, request):
        self.temporary[token["oauth_token"]] = {
            "secret": token["oauth_token_secret"],
            "callback": request.redirect_uri,
            "realms": request.realms,
        }

    def verify_request_token(self, token, request):
        return token in self.temporary

    def get_realms(self, token, request):
        return self.temporary[token]["realms"]

    def get_redirect_uri(self, token, request):
        return self.temporary[token]["callback"]

    def save_verifier(self, token, verifier, request):
        self.temporary[token].update(verifier=verifier["oauth_verifier"], user=verifier.pop("user"))

    def validate_request_token(self, client_key, token, request):
        return token in self.temporary

    def get_request_token_secret(self, client_key, token, request):
        return self.temporary.get(token, {}).get("secret", "no such")

    def validate_verifier(self, client_key, token, verifier, request):
        return self.temporary.get(token, {}).get("verifier") == verifier

    def invalidate_request_token(self, client_key, request_token, request):
        del self.temporary[request_token]

    def save_access_token(self, token, request):
        known = self.temporary[request.resource_owner_key]
        self.tokens[token["oauth_token"]] = {
            "secret": token["oauth_token_secret"],
            "user": known["user"],
            "realms": known["realms"],
        }

    def validate_access_token(self, client_key, token, request):
        return token in self.tokens

    def get_access_token_secret(self, client_key, token, request):
        return self.tokens.get(token, {}).get("secret", "no such")

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True


validator = Validator()
oauth = WebApplicationServer(validator)


def body_hash_is_right(request, body):
    """oauthlib makes `oauth_body_hash` in its client and never looks at it in its server."""
    said = request.oauth_params.get("oauth_body_hash")
    if said is None:
        is_form = "form-urlencoded" in request.headers.get("Content-Type", "")
        return not body or is_form or request.signature_method == "PLAINTEXT"
    by_method = {"256": hashlib.sha256, "512": hashlib.sha512}
    digest = by_method.get(request.signature_method[-3:], hashlib.sha1)
    return said == base64.b64encode(digest(body).digest()).decode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_any(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        uri = f"http://{self.headers['Host']}{self.path}"
        path = urlsplit(uri).path
        asked = dict(uri=uri, http_method=self.command, headers=dict(self.headers), body=body.decode("utf-8", "replace"))
        if path == "/request_token":
            headers, answer, status = oauth.create_request_token_response(**asked)
        elif path == "/access_token":
            headers, answer, status = oauth.create_access_token_response(**asked)
        elif path == "/authorize":
            headers, answer, status = self.authorize(uri, body)
        elif path.startswith("/api/"):
            headers, answer, status = self.api(path, asked, body)
        else:
            headers, answer, status = {}, "no such page", 404
        answer = (answer or "").encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

    def authorize(self, uri, body):
        (token,) = parse_qs(urlsplit(uri).query).get("oauth_token", [""])
        page = {"Content-Type": "text/html; charset=utf-8"}
        if token not in validator.temporary:
            return page, "<p>no such request</p>", 400
        if self.command == "GET":
            realms = html.escape(" ".join(validator.get_realms(token, None)))
            form = f'<p>{realms}</p><form method="post"><input name="login"><button name="decision" value="allow">Allow</button></form>'
            return page, form, 200
        form = parse_qs(body.decode())
        if form.get("decision") == ["deny"]:
            # oauthlib has no answer for a user who denies.
            callback = validator.temporary.pop(token)["callback"]
            return {"Location": f"{callback}?{urlencode({'oauth_token': token, 'oauth_problem': 'user_refused'})}"}, "", 302
        try:
            return oauth.create_authorization_response(uri, credentials={"user": form["login"][0]})
        except OAuth1Error as error:
            return page, error.urlencoded, error.status_code

    def api(self, path, asked, body):
        valid, request = oauth.validate_protected_resource_request(**asked, realms=[])
        if not valid or not body_hash_is_right(request, body):
            return {"WWW-Authenticate": 'OAuth realm="api"'}, "refused", 401
        if path == "/api/moved":
            return {"Location": "/api/me?moved=1"}, "", 307
        token = validator.tokens[request.resource_owner_key]
        said = {
            "id": token["user"],
            "realms": token["realms"],
            "method": request.signature_method,
            "signed": sorted(name for name, _ in request.params if not name.startswith("oauth_")),
            "body_hash": "oauth_body_hash" in request.oauth_params,
            "body": body.decode(),
        }
        return {"Content-Type": "application/json"}, json.dumps(said), 200


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"issuer": f"http://127.0.0.1:{server.server_port}"}), flush=True)
sys.stdin.read()
os._exit(0)
