"""OAuth 1.0a: requests-oauthlib, and Authlib over requests and over httpx.

The whole dance with every signature method in every placement that each of them can do, then signed requests to the
API. Authlib only knows the three methods of RFC 5849 itself.

Where they stray, we take what does no harm:

* Authlib sends `oauth_callback` with every request, also those to the API. It is signed, and means nothing there. Its
  authorization URL has one, too, which the RFC does not know; only the registered one of the first request counts.
* Both hash bodies with SHA-1 whatever the signature's hash is. The hash is signed.

Where oauthlib strays from the RFC, we follow the RFC, and the tests below hold us to it. Its client signs protocol
parameters in query and body as if they had been decoded twice (section 3.4.1.3.1: once). Its server does the same,
takes the last of several parameters in a header (section 3.1: each comes once), uses up a nonce before it has looked at
the signature, and lets a verifier be exchanged again (section 2.3: once).
"""

import json
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
from authlib.integrations.httpx_client import OAuth1Client
from authlib.integrations.requests_client import OAuth1Session as AuthlibSession
from requests_oauthlib import OAuth1Session

from browser import Browser, parameters
from quadrille import PASSWORD, REDIRECT_URI, SCOPE, USER, Quadrille

RFC5849 = ["HMAC-SHA1", "RSA-SHA1", "PLAINTEXT"]
METHODS = RFC5849 + ["HMAC-SHA256", "HMAC-SHA512", "RSA-SHA256", "RSA-SHA512"]
PLACEMENTS = ["header", "query", "body"]

# Cases that encodings disagree about: order, repetition, empty values, spaces, signs, other alphabets.
AWKWARD = [("b", "2"), ("a", "1"), ("a", "0"), ("empty", ""), ("space", "x y"), ("signs", "+&=%/~*'()"), ("ü", "日 %2B")]


def requests_oauthlib(client, method, placement, callback=REDIRECT_URI):
    kind = {"header": "AUTH_HEADER", "query": "QUERY", "body": "BODY"}[placement]
    return OAuth1Session(
        client.client_id,
        client_secret=client.client_secret,
        rsa_key=client.private_key,
        callback_uri=callback,
        signature_method=method,
        signature_type=kind,
    )


def authlib(kind):
    def authlib(client, method, placement, callback=REDIRECT_URI):
        return kind(
            client.client_id,
            client_secret=client.client_secret,
            rsa_key=client.private_key,
            redirect_uri=callback,
            signature_method=method,
            signature_type=placement.upper(),
        )

    return authlib


KINDS = {
    "requests-oauthlib": (requests_oauthlib, METHODS),
    "authlib-requests": (authlib(AuthlibSession), RFC5849),
    "authlib-httpx": (authlib(OAuth1Client), RFC5849),
}
EVERY = [
    pytest.param(make, method, placement, id=f"{name}-{method}-{placement}")
    for name, (make, methods) in KINDS.items()
    for method in methods
    for placement in PLACEMENTS
]
EVERY_KIND = pytest.mark.parametrize("make", [make for make, _ in KINDS.values()], ids=KINDS)


@pytest.fixture
def open_session():
    """Makes sessions by one of the functions above, and closes them."""
    opened = []

    def open_session(make, *arguments, **named):
        opened.append(make(*arguments, **named))
        return opened[-1]

    yield open_session
    for one in opened:
        one.close()


@pytest.fixture(scope="session")
def key(rsa):
    return rsa()


@pytest.fixture
def register(oauth1, key):
    """A new client for the test, so there is a consent page, with the keys that this method needs."""

    def register(method="HMAC-SHA256", *options):
        private, public = key if method.startswith("RSA") else (None, None)
        options = [*options, *(["--rsa-key", public] if public else [])]
        client = oauth1.oauth1_client(*options)
        secret = None if private else client.oauth1_secret
        return SimpleNamespace(client_id=client.client_id, client_secret=secret, private_key=private)

    return register


@pytest.fixture
def log_in(oauth1, browser):
    def log_in(session):
        temporary = session.fetch_request_token(oauth1.issuer + "/oauth/request_token")
        assert temporary["oauth_callback_confirmed"] == "true"
        callback = browser.authorize(authorization_url(session, oauth1))
        answer = parameters(callback)
        assert answer.keys() == {"oauth_token", "oauth_verifier"}
        assert answer["oauth_token"] == temporary["oauth_token"]
        session.parse_authorization_response(callback)
        token = session.fetch_access_token(oauth1.issuer + "/oauth/access_token")
        assert token["oauth_token"] != temporary["oauth_token"]
        return SimpleNamespace(temporary=temporary, verifier=answer["oauth_verifier"], token=token)

    return log_in


def authorization_url(session, provider):
    url = provider.issuer + "/oauth/authorize"
    if isinstance(session, OAuth1Session):
        return session.authorization_url(url)
    return session.create_authorization_url(url)


def hash_bodies(session):
    """Makes the session sign bodies that are not forms by their hash."""
    auth = session._client if isinstance(session, OAuth1Session) else session.auth
    auth.force_include_body = True


def problem(answer):
    """The error that a client gets: in the body, and in the challenge if there is one."""
    word = parse_qs(answer.text)["oauth_problem"][0]
    if answer.status_code == 401:
        challenge = answer.headers["www-authenticate"]
        assert challenge.startswith("OAuth realm="), challenge
        assert f'oauth_problem="{word}"' in challenge
    return answer.status_code, word


@pytest.mark.parametrize(["make", "method", "placement"], EVERY)
def test_a_client_logs_in_and_calls_the_api(open_session, oauth1, browser, register, log_in, make, method, placement):
    client = register(method)
    session = open_session(make, client, method, placement)
    log_in(session)
    assert (browser.signed_in, browser.asked) == (1, 1)
    me = {"username": USER, "client_id": client.client_id, "scope": SCOPE}

    answer = session.post(oauth1.me, params=AWKWARD, data=dict(AWKWARD))
    assert answer.status_code == 200, answer.text
    assert answer.json() | me == answer.json()
    if placement == "body":
        # Only forms can carry a signature in the body.
        return
    for params in [None, AWKWARD]:
        answer = session.get(oauth1.me, params=params)
        assert answer.status_code == 200, answer.text
        assert answer.json() | me == answer.json()
    hash_bodies(session)
    answer = session.post(oauth1.me, json={"caption": "Grüße"})
    assert answer.status_code == 200, answer.text
    sent = [str(answer.request.headers.get("authorization")), str(answer.request.url)]
    assert "oauth_body_hash" in "".join(sent)


@EVERY_KIND
def test_saying_no_comes_back_as_user_refused(open_session, oauth1, browser, register, make):
    session = open_session(make, register(), "HMAC-SHA1", "header")
    temporary = session.fetch_request_token(oauth1.issuer + "/oauth/request_token")
    answer = parameters(browser.authorize(authorization_url(session, oauth1), decision="deny"))
    assert answer == {"oauth_token": temporary["oauth_token"], "oauth_problem": "user_refused"}


@EVERY_KIND
def test_a_program_without_an_address_gets_the_verifier_from_the_person(open_session, oauth1, browser, register, make):
    session = open_session(make, register("HMAC-SHA1", "--oob"), "HMAC-SHA1", "header", callback="oob")
    session.fetch_request_token(oauth1.issuer + "/oauth/request_token")
    page = browser.visit(authorization_url(session, oauth1))
    assert page.status == 200
    verifier = page.html.select_one("output").get_text().strip()
    session.fetch_access_token(oauth1.issuer + "/oauth/access_token", verifier=verifier)
    assert session.get(oauth1.me).json()["username"] == USER


def test_out_of_band_is_for_clients_that_were_registered_for_it(open_session, oauth1, register):
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", "header", callback="oob")
    answer = session.post(oauth1.issuer + "/oauth/request_token")
    assert answer.status_code in (400, 401)
    assert "oauth_token" not in parse_qs(answer.text)


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("method", METHODS)
def test_a_request_works_once(open_session, oauth1, register, log_in, method, placement):
    session = open_session(requests_oauthlib, register(method), method, placement)
    log_in(session)
    answer = session.post(oauth1.me, data={"a": "1"})
    assert answer.status_code == 200
    with requests.Session() as thief:
        assert problem(thief.send(answer.request)) == (401, "nonce_used")


@EVERY_KIND
def test_a_verifiers_second_use_ends_what_the_first_bought(open_session, oauth1, register, log_in, make):
    session = open_session(make, register(), "HMAC-SHA1", "header")
    done = log_in(session)
    session.token = {**done.temporary, "oauth_verifier": done.verifier}
    with pytest.raises(Exception, match="token_(used|rejected|revoked)"):
        session.fetch_access_token(oauth1.issuer + "/oauth/access_token", verifier=done.verifier)
    session.token = done.token
    assert problem(session.get(oauth1.me))[0] == 401


@EVERY_KIND
def test_a_wrong_secret_uses_up_no_verifier(open_session, oauth1, browser, register, make):
    client = register()
    session = open_session(make, client, "HMAC-SHA1", "header")
    temporary = session.fetch_request_token(oauth1.issuer + "/oauth/request_token")
    session.parse_authorization_response(browser.authorize(authorization_url(session, oauth1)))
    verifier = session.token["oauth_verifier"]

    wrong = open_session(make, SimpleNamespace(**{**vars(client), "client_secret": "not it"}), "HMAC-SHA1", "header")
    wrong.token = temporary
    with pytest.raises(Exception, match="signature_invalid"):
        wrong.fetch_access_token(oauth1.issuer + "/oauth/access_token", verifier=verifier)
    session.fetch_access_token(oauth1.issuer + "/oauth/access_token", verifier=verifier)
    assert session.get(oauth1.me).status_code == 200


def test_a_wrong_secret_uses_up_no_nonce(open_session, oauth1, register, log_in):
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", "header")
    log_in(session)
    client = session._client.client
    client.nonce, client.timestamp, right = "once", str(int(time.time())), client.client_secret
    client.client_secret = "not it"
    assert problem(session.get(oauth1.me)) == (401, "signature_invalid")
    client.client_secret = right
    assert session.get(oauth1.me).status_code == 200
    assert problem(session.get(oauth1.me)) == (401, "nonce_used")


def test_an_unregistered_callback_is_refused(open_session, oauth1, register):
    evil = "https://evil.example/callback"
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", "header", callback=evil)
    answer = session.post(oauth1.issuer + "/oauth/request_token")
    assert answer.status_code in (400, 401)
    assert "oauth_token" not in parse_qs(answer.text)


def test_scopes_are_signed(open_session, oauth1, browser, register):
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", "header")
    session.fetch_request_token(oauth1.issuer + "/oauth/request_token?scope=photos:read", realm=["Photos"])
    session.parse_authorization_response(browser.authorize(authorization_url(session, oauth1)))
    session.fetch_access_token(oauth1.issuer + "/oauth/access_token")
    assert session.get(oauth1.me).json()["scope"] == "photos:read"


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_values_are_decoded_once(open_session, oauth1, register, log_in, placement):
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", placement)
    log_in(session)
    session._client.client.nonce = "100%25 + %2B"
    answer = session.post(oauth1.me, data={"a": "%2525"})
    if placement == "header":
        assert answer.status_code == 200, answer.text
    else:
        # oauthlib decodes its own parameters twice before it signs them.
        assert problem(answer) == (401, "signature_invalid")


def test_a_parameter_that_comes_twice_in_the_header_is_refused(open_session, oauth1, register, log_in):
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", "header")
    log_in(session)
    signed = session.prepare_request(requests.Request("GET", oauth1.me))
    signed.headers["Authorization"] = signed.headers["Authorization"].decode() + ', oauth_nonce="another"'
    with requests.Session() as sender:
        assert problem(sender.send(signed)) == (400, "parameter_rejected")


class TestRevocation:
    @pytest.fixture
    def oauth1(self, tmp_path):
        """A separate provider: after other failures from this address, unknown tokens get 429."""
        provider = Quadrille.with_oauth1(tmp_path)
        yield provider
        provider.stop()

    @EVERY_KIND
    def test_revoked_credentials_are_refused(self, open_session, oauth1, register, log_in, make):
        session = open_session(make, register(), "HMAC-SHA1", "header")
        done = log_in(session)
        oauth1.revoke(done.token["oauth_token"])
        wait_until(lambda: session.get(oauth1.me).status_code == 401)
        assert problem(session.get(oauth1.me)) == (401, "token_rejected")


def test_a_body_that_is_not_the_one_that_was_signed_is_refused(open_session, oauth1, register, log_in):
    session = open_session(requests_oauthlib, register(), "HMAC-SHA256", "header")
    log_in(session)
    hash_bodies(session)
    signed = session.prepare_request(requests.Request("POST", oauth1.me, json={"to": "ada"}))
    assert len(signed.body) == len(json.dumps({"to": "eve"}))
    signed.body = json.dumps({"to": "eve"}).encode()
    with requests.Session() as thief:
        assert thief.send(signed).status_code == 401


def test_short_keys_of_old_installations_need_a_longer_word(open_session, oauth1, rsa, log_in):
    private, public = rsa(1024)
    with pytest.raises(AssertionError, match="2048"):
        oauth1.oauth1_client("--rsa-key", public)
    client = oauth1.oauth1_client("--rsa-key-of-1024-bits-and-up-as-old-installations-have-them", public)
    client.private_key = private
    session = open_session(requests_oauthlib, client, "RSA-SHA256", "header")
    log_in(session)
    assert session.get(oauth1.me).status_code == 200


def wait_until(condition, seconds=5):
    """Waits for a command to take effect in the server: it does within a second."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def test_oauth_1_is_off_unless_somebody_turns_it_on(provider):
    with OAuth1Session("nobody", client_secret="nothing", callback_uri=REDIRECT_URI) as session:
        assert session.post(provider.issuer + "/oauth/request_token").status_code == 404
        answer = session.get(provider.me)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("place", ["query", "form"])
def test_callback_and_verifier_may_stand_apart_from_a_signed_header(oauth1, place):
    """The login in the guide of X (Twitter), and in the programs that follow it."""
    client = oauth1.oauth1_client()
    at = f"{oauth1.issuer}/oauth/"

    def send(session, name, field):
        where = {"params" if place == "query" else "data": field}
        answer = session.post(at + name, **where)
        assert answer.status_code == 200, answer.text
        return dict(parse_qsl(answer.text))

    temporary = send(OAuth1Session(client.client_id, client.oauth1_secret), "request_token", {"oauth_callback": REDIRECT_URI})
    browser = Browser(USER, PASSWORD, REDIRECT_URI)
    callback = parameters(browser.authorize(f"{at}authorize?oauth_token={temporary['oauth_token']}"))
    session = OAuth1Session(
        client.client_id, client.oauth1_secret, temporary["oauth_token"], temporary["oauth_token_secret"]
    )
    token = send(session, "access_token", {"oauth_verifier": callback["oauth_verifier"]})
    session = OAuth1Session(client.client_id, client.oauth1_secret, token["oauth_token"], token["oauth_token_secret"])
    assert session.get(oauth1.me).json()["username"] == USER


@pytest.mark.parametrize("typed", [str.lower, lambda code: f" {code[:4]}-{code[4:]}\n"])
def test_a_code_may_be_typed_as_people_type(oauth1, typed):
    client = oauth1.client("Terminal", "--oauth1", "--oob", "--scope", "photos:read")
    session = OAuth1Session(client.client_id, client.oauth1_secret, callback_uri="oob")
    session.fetch_request_token(f"{oauth1.issuer}/oauth/request_token")
    page = Browser(USER, PASSWORD, REDIRECT_URI).visit(session.authorization_url(f"{oauth1.issuer}/oauth/authorize"))
    code = page.html.select_one("output").get_text(strip=True)
    session.fetch_access_token(f"{oauth1.issuer}/oauth/access_token", verifier=typed(code))
    assert session.get(oauth1.me).json()["username"] == USER


def test_client_signs_for_itself_without_a_token(oauth1):
    client = oauth1.client("Machine", "--oauth1", "--two-legged", "--scope", "photos:read")
    session = OAuth1Session(client.client_id, client_secret=client.oauth1_secret, signature_method="HMAC-SHA256")
    forger = OAuth1Session(client.client_id, client_secret="a guess", signature_method="HMAC-SHA256")
    with session, forger:
        answer = session.get(oauth1.me)
        assert answer.json() == {"client_id": client.client_id, "scope": "photos:read"}
        again = requests.get(oauth1.me, headers={"Authorization": answer.request.headers["Authorization"]}, timeout=10)
        assert (again.status_code, again.text) == (401, "oauth_problem=nonce_used")
        answer = forger.get(oauth1.me)
        assert (answer.status_code, answer.text) == (401, "oauth_problem=signature_invalid")
