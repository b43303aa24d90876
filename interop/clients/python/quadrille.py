"""`quadrille serve` as a child process, set up through its own command line."""

import itertools
import json
import os
import queue
import random
import socket
import subprocess
import threading
from pathlib import Path
from types import SimpleNamespace

import requests

import databases

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("QUADRILLE_BIN", ROOT / "target/debug/quadrille"))
# Nothing listens at this address: the browser stops at it, as a native application would.
REDIRECT_URI = "http://127.0.0.1:9/callback"
USER, PASSWORD = "margot", "correct horse battery staple"
SCOPE = "photos:read photos:write"
ENVIRONMENT = {**os.environ, "QUADRILLE_SCOPES": "photos:read=See your photos;photos:write=Add photos"}


def database():
    """A new database of the kind in INTEROP_DATABASE, as a setting. The data folder has one by default."""
    kind = os.environ.get("INTEROP_DATABASE", "sqlite")
    new = {"sqlite": None, "postgres": databases.postgres, "mariadb": databases.mariadb}[kind]
    return {"QUADRILLE_DATABASE": new()} if new else {}


# The system takes no port of its own choice from this range, so no connection has it before its server.
PORTS = itertools.cycle(random.sample(range(12_000, 32_000), 20_000))


def free_port():
    for port in PORTS:
        with socket.socket() as listener:
            try:
                listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


class Quadrille:
    """A provider with one user, in its own directory, or another process that serves `data`.

    `settings` are environment variables.
    """

    def __init__(self, directory, data=None, listen="127.0.0.1:0", **settings):
        if not PROGRAM.exists():
            raise RuntimeError(f"{PROGRAM} is missing; build it: make program")
        self.directory = Path(directory)
        self.environment = {**ENVIRONMENT, **database(), **settings}
        self.log = open(self.directory / "log", "w+")
        self.data = data or self.directory / "data"
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--data-dir", self.data, "--listen", listen, "--json"],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=self.environment,
            text=True,
        )
        try:
            ready = json.loads(self._first_line())
            self.issuer, self.listening = ready["issuer"], ready["listening"]
            self.me = self.issuer + "/api/me"
            if data is None:
                self.run("user", "add", USER, "--password-stdin", stdin=PASSWORD + "\n")
        except BaseException:
            self._end()
            raise

    def run(self, *arguments, stdin=""):
        """Runs a command on the data directory of the server."""
        done = subprocess.run(
            [PROGRAM, *arguments, "--data-dir", self.data],
            input=stdin,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, f"quadrille {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def client(self, name, *options):
        """Registers a client. Returns the output of the command."""
        out = self.run("client", "add", name, *options, "--json")
        return SimpleNamespace(**{"client_secret": None, **json.loads(out)})

    def web_client(self, *options):
        scopes = [word for scope in SCOPE.split() for word in ("--scope", scope)]
        return self.client("Interop", "--redirect-uri", REDIRECT_URI, *scopes, *options)

    def machine_client(self):
        return self.client("Machine", "--grant", "client_credentials", "--scope", "photos:read")

    def device_client(self, *options):
        """A client on a device without a browser. The setting device.enabled must be on."""
        grants = ("--grant", "device_code", "--grant", "refresh_token")
        return self.client("Television", *grants, "--scope", "photos:read", *options)

    def oauth1_client(self, *options):
        return self.web_client("--oauth1", *options)

    @classmethod
    def with_oauth1(cls, folder):
        """A provider that offers OAuth 1.0a with every signature method."""
        methods = "HMAC-SHA256 HMAC-SHA512 RSA-SHA256 RSA-SHA512 HMAC-SHA1-as-most-clients-sign"
        methods += " RSA-SHA1-with-its-broken-digest PLAINTEXT-which-carries-the-secrets"
        methods = ",".join(methods.split())
        return cls(folder, QUADRILLE_OAUTH1_ENABLED="true", QUADRILLE_OAUTH1_SIGNATURE_METHODS=methods)

    def revoke(self, token):
        self.run("token", "revoke", "--token-stdin", stdin=token)

    def metadata(self):
        answer = requests.get(self.issuer + "/.well-known/oauth-authorization-server", timeout=10)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def stop(self):
        code, log = self._end()
        assert code == 0, f"quadrille serve ended with {code}:\n{log}"
        assert "panicked" not in log, log

    def _end(self):
        self.process.terminate()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        self.log.seek(0)
        with self.log as log:
            return code, log.read()

    def _first_line(self):
        lines = queue.Queue()
        threading.Thread(target=lambda: lines.put(self.process.stdout.readline()), daemon=True).start()
        line = lines.get(timeout=30)
        if not line:
            self.log.seek(0)
            raise RuntimeError(f"quadrille serve did not start:\n{self.log.read()}")
        return line
