"""nginx and HAProxy, as `deploy/` has them, in front of two processes that stop and start while requests come."""

import http.client
import shutil
import ssl
import subprocess
import threading
import time
from base64 import b64encode
from contextlib import closing

import pytest
import requests

from quadrille import ROOT, Quadrille, free_port

DEPLOY = ROOT / "deploy"
# The `drain_time` that the guide names for each.
DRAIN_TIMES = {"nginx": "0s", "haproxy": "5s"}


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificate")
    key, chain, both = (folder / name for name in ("privkey.pem", "fullchain.pem", "both.pem"))
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*request, *names, "-keyout", key, "-out", chain], check=True, capture_output=True)
    both.write_text(chain.read_text() + key.read_text())
    return folder


class Balancer:
    """A balancer in front of two processes that share a folder."""

    def __init__(self, kind, folder, certificate):
        self.port = free_port()
        self.folder = folder
        self.shared = {
            "QUADRILLE_ISSUER": f"https://localhost:{self.port}",
            "QUADRILLE_TRUSTED_PROXIES": "127.0.0.1",
            "QUADRILLE_DRAIN_TIME": DRAIN_TIMES[kind],
        }
        self.one = self._serve("one")
        self.two = self._serve("two", data=self.one.data)
        self.process = getattr(self, kind)(folder, certificate)
        self.context = ssl.create_default_context(cafile=certificate / "fullchain.pem")
        self._wait()

    def _serve(self, name, **options):
        folder = self.folder / name
        folder.mkdir()
        return Quadrille(folder, **options, **self.shared)

    def replaced(self, process, name):
        """Another process in the place of this one, as soon as it is ready."""
        process.stop()
        successor = self._serve(name, data=process.data, listen=process.listening)
        deadline = time.monotonic() + 20
        while requests.get(f"http://{process.listening}/ready", timeout=5).status_code != 200:
            assert time.monotonic() < deadline
        return successor

    def changed(self, text, certificate, changes):
        for before, after in {
            "10.0.0.11:4004": self.one.listening,
            "10.0.0.12:4004": self.two.listening,
            "/etc/ssl/id.example": str(certificate),
            **changes,
        }.items():
            assert before in text, before
            text = text.replace(before, after)
        return text

    def nginx(self, folder, certificate):
        text = (DEPLOY / "nginx/quadrille.conf").read_text()
        text = self.changed(text, certificate, {"listen 443": f"listen 127.0.0.1:{self.port}", "id.example;": "localhost;"})
        file = folder / "nginx.conf"
        around = f"daemon off; pid {folder}/pid; error_log stderr; user root; worker_processes 1; events {{}}"
        bodies = "".join(f"{name}_temp_path {folder}/{name}; " for name in "client_body proxy fastcgi uwsgi scgi".split())
        file.write_text(f"{around} http {{ access_log off; {bodies}\n{text} }}")
        return self.started(["nginx", "-c", file], ["-t"])

    def haproxy(self, folder, certificate):
        text = (DEPLOY / "haproxy/haproxy.cfg").read_text()
        file = folder / "haproxy.cfg"
        file.write_text(self.changed(text, certificate, {"bind :443": f"bind 127.0.0.1:{self.port}"}))
        return self.started(["haproxy", "-db", "-f", file], ["-c"])

    def started(self, command, check):
        """The process, whose file must be valid without a remark."""
        program = shutil.which(command[0], path="/usr/local/sbin:/usr/sbin:/sbin:/usr/bin")
        assert program, f"{command[0]} is missing; on Debian, as root: apt-get install {command[0]}"
        checked = subprocess.run([program, *command[1:], *check], capture_output=True, text=True)
        assert checked.returncode == 0 and "warn" not in (checked.stdout + checked.stderr).lower(), checked.stderr
        return subprocess.Popen([program, *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def connection(self):
        return http.client.HTTPSConnection("localhost", self.port, context=self.context, timeout=20)

    def get(self, path, **headers):
        with closing(self.connection()) as connection:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def _wait(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                if self.get("/sign-in")[0] == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None and time.monotonic() < deadline
            time.sleep(0.05)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        for process in (self.one, self.two):
            if process.process.returncode is None:
                process.stop()


@pytest.fixture(params=DRAIN_TIMES)
def balancer(request, tmp_path, certificate):
    balancer = Balancer(request.param, tmp_path, certificate)
    yield balancer
    balancer.stop()


class Crowd:
    """Clients that get tokens, one request after the other, each by connections that stay and by new ones."""

    def __init__(self, balancer, client, number=8):
        self.balancer, self.ends = balancer, threading.Event()
        self.basic = b64encode(f"{client.client_id}:{client.client_secret}".encode()).decode()
        self.good, self.bad = 0, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(number % 2 == 0,)) for number in range(number)]
        for thread in self.threads:
            thread.start()

    def _run(self, stays):
        connection = self.balancer.connection()
        headers = {"Authorization": f"Basic {self.basic}", "Content-Type": "application/x-www-form-urlencoded"}
        while not self.ends.is_set():
            try:
                connection.request("POST", "/oauth/token", "grant_type=client_credentials", headers)
                answer = connection.getresponse()
                body = answer.read()
                outcome = None if answer.status == 200 else f"{answer.status} {body}"
            except (OSError, http.client.HTTPException) as error:
                outcome = repr(error)
                connection.close()
            if not stays:
                connection.close()
            with self.lock:
                if outcome is None:
                    self.good += 1
                else:
                    self.bad.append(outcome)
        connection.close()

    def goes_on(self, number):
        """Waits for so many more answers."""
        until = self.good + number
        deadline = time.monotonic() + 60
        while self.good < until:
            assert time.monotonic() < deadline and len(self.bad) < 50, self.bad[:3]
            time.sleep(0.01)

    def end(self):
        self.ends.set()
        for thread in self.threads:
            thread.join()


def test_no_request_is_lost_when_a_process_stops(balancer):
    crowd = Crowd(balancer, balancer.one.machine_client())
    try:
        crowd.goes_on(200)
        balancer.one.stop()
        crowd.goes_on(200)
    finally:
        crowd.end()
    assert crowd.bad == []


def test_no_request_is_lost_when_the_processes_are_replaced_one_after_the_other(balancer):
    crowd = Crowd(balancer, balancer.one.machine_client())
    try:
        crowd.goes_on(200)
        balancer.one = balancer.replaced(balancer.one, "one again")
        balancer.two = balancer.replaced(balancer.two, "two again")
        crowd.goes_on(200)
    finally:
        crowd.end()
    assert crowd.bad == []


def test_a_balancer_names_the_client_and_the_request_and_no_client_does(balancer):
    status, headers, _ = balancer.get(
        "/nowhere", **{"X-Request-Id": "mine", "X-Forwarded-For": "192.0.2.7", "Forwarded": "for=192.0.2.7"}
    )
    assert status == 404
    number = headers["X-Request-Id"]
    assert number and number != "mine"
    logs = [(process.directory / "log").read_text() for process in (balancer.one, balancer.two)]
    assert any(number in log for log in logs)
    assert not any("192.0.2.7" in log or "is not trusted" in log for log in logs)


def test_health_and_readiness_of_one_process_are_not_public(balancer):
    assert [balancer.get(path)[0] for path in ("/health", "/ready")] == [404, 404]


def test_the_balancer_of_the_composition_is_valid(tmp_path, certificate):
    text = (DEPLOY / "compose/haproxy.cfg").read_text().replace("/etc/ssl/id.example", str(certificate))
    file = tmp_path / "haproxy.cfg"
    file.write_text(text)
    program = shutil.which("haproxy", path="/usr/local/sbin:/usr/sbin:/sbin:/usr/bin")
    checked = subprocess.run([program, "-c", "-f", file], capture_output=True, text=True)
    assert checked.returncode == 0 and "WARN" not in checked.stderr, checked.stderr
