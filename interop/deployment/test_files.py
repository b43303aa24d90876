"""The files in `deploy/`, by the tools that read them, and by the program that they start."""

import io
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose
from dockerfile_parse import DockerfileParser

from quadrille import PROGRAM, ROOT, Quadrille, free_port

DEPLOY = ROOT / "deploy"
GUIDE = (ROOT / "docs/src/program/deploying.md").read_text() + (ROOT / "docs/src/program/balancing.md").read_text()
KUBERNETES = sorted(file for file in (DEPLOY / "kubernetes").glob("*.yaml") if file.name != "kustomization.yaml")


def settings(environment=None, *arguments):
    """The settings in effect. The program must know every variable, and accept every value."""
    done = subprocess.run([PROGRAM, "config", "--json", *arguments], env=environment or {}, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return {row["key"]: row["value"] for row in json.loads(done.stdout)}


def image():
    """The container file, and the variables that its image has."""
    parser = DockerfileParser(fileobj=io.BytesIO((DEPLOY / "container/Containerfile").read_bytes()))
    return parser.structure, {name: value for name, value in parser.envs.items() if name.startswith("QUADRILLE_")}


def seconds(text):
    number, unit = re.fullmatch(r'"?(\d+)([smh])"?', text).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


def time_to_stop(known):
    return seconds(known["drain_time"]) + seconds(known["shutdown_timeout"])


def port(known, setting="listen"):
    return int(known[setting].strip('"').rpartition(":")[2])


def kubernetes(kind):
    documents = [yaml.safe_load(file.read_text()) for file in KUBERNETES]
    return next(document for document in documents if document["kind"] == kind)


@pytest.mark.parametrize("file", KUBERNETES, ids=lambda file: file.name)
def test_manifests_are_valid(file):
    kubernetes_validate.validate(yaml.safe_load(file.read_text()), "1.31", strict=True)


def test_every_manifest_is_applied_but_the_example():
    listed = yaml.safe_load((DEPLOY / "kubernetes/kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == [file.name for file in KUBERNETES if file.name != "secret-example.yaml"]


def test_a_pod_has_settings_that_the_program_knows_and_time_to_stop():
    pod = kubernetes("Deployment")["spec"]["template"]["spec"]
    [container] = pod["containers"]
    secret = kubernetes("Secret")["stringData"]
    values = {"keys": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "database": "postgres://u:p@db.internal/q"}
    given = {entry["name"]: values[entry["valueFrom"]["secretKeyRef"]["key"]] for entry in container["env"]}
    assert {*values, "database-ca.pem"} == set(secret)
    known = settings({**image()[1], **kubernetes("ConfigMap")["data"], **given})
    assert pod["terminationGracePeriodSeconds"] > time_to_stop(known)
    ports = {entry["name"]: entry["containerPort"] for entry in container["ports"]}
    assert ports == {"http": port(known), "metrics": port(known, "metrics_listen")}
    [service] = kubernetes("Service")["spec"]["ports"]
    assert service["targetPort"] in ports
    readiness = container["readinessProbe"]
    noticed = readiness["periodSeconds"] * readiness["failureThreshold"] + readiness["timeoutSeconds"]
    assert seconds(known["drain_time"]) > noticed


def test_all_manifests_mean_the_same_pods():
    labels = kubernetes("Deployment")["spec"]["template"]["metadata"]["labels"]
    for selector in (
        kubernetes("Deployment")["spec"]["selector"]["matchLabels"],
        kubernetes("Service")["spec"]["selector"],
        kubernetes("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        kubernetes("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector == labels


def test_the_composition_has_settings_that_the_program_knows_and_time_to_stop():
    text = (DEPLOY / "compose/compose.yaml").read_text()
    PyCompose.from_yaml(text).validate()
    services = yaml.safe_load(text)["services"]
    program = services["quadrille"]
    known = settings({**image()[1], **program["environment"]})
    assert seconds(program["stop_grace_period"]) > time_to_stop(known)
    assert (DEPLOY / "compose" / program["build"]["context"]).resolve() == ROOT
    assert (ROOT / program["build"]["dockerfile"]).exists()
    for name in re.findall(r"\./(\S+?):", text) + [entry["file"] for entry in yaml.safe_load(text)["secrets"].values()]:
        file = name.removeprefix("./")
        assert (DEPLOY / "compose" / file).exists() or file in GUIDE, file


def test_the_cache_of_the_composition_suits_the_program(tmp_path):
    services = yaml.safe_load((DEPLOY / "compose/compose.yaml").read_text())["services"]
    redis, program = services["redis"], services["quadrille"]
    shared = set(redis["networks"]) & set(program["networks"])
    assert shared and not any(shared & set(services[other]["networks"]) for other in ("postgres", "haproxy"))
    number = free_port()
    url = program["environment"]["QUADRILLE_CACHE"].replace("//redis", f"//127.0.0.1:{number}")
    server = subprocess.Popen([*redis["command"], "--port", str(number), "--dir", tmp_path], stdout=subprocess.PIPE, text=True)
    try:
        # A cache that evicts, or does not answer, ends the start.
        next(line for line in server.stdout if "Ready to accept connections" in line)
        quadrille = Quadrille(tmp_path, QUADRILLE_CACHE=url)
        quadrille.stop()
    finally:
        server.terminate()
        server.communicate(timeout=20)


def test_the_image_runs_the_program_as_nobody():
    subprocess.run([Path(sys.executable).with_name("hadolint"), DEPLOY / "container/Containerfile"], check=True)
    structure, environment = image()
    last = {entry["instruction"]: entry["value"] for entry in structure}
    assert last["USER"] == "65532:65532"
    known = settings(environment)
    assert int(last["EXPOSE"]) == port(known)
    assert [*json.loads(last["ENTRYPOINT"]), *json.loads(last["CMD"])] == ["/usr/local/bin/quadrille", "serve"]


def test_the_unit_is_valid_and_confined(tmp_path):
    text = (DEPLOY / "systemd/quadrille.service").read_text()
    unit = tmp_path / "quadrille.service"
    unit.write_text(text.replace("/usr/local/bin/quadrille", str(PROGRAM)))
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stderr) == (0, "")
    security = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=15", unit], capture_output=True, text=True
    )
    assert security.returncode == 0, security.stdout
    written = (DEPLOY / "systemd/quadrille.toml").read_text()
    # The unit makes the folder of the audit log, without which the program does not start.
    assert "LogsDirectory=quadrille" in text
    here = tmp_path / "quadrille.toml"
    here.write_text(written.replace("/var/log/quadrille", str(tmp_path)))
    known = settings(None, "--config", str(here))
    assert int(re.search(r"TimeoutStopSec=(\d+)s", text)[1]) > time_to_stop(known)
    for folder, setting in (("/var/lib/quadrille", "data_dir"), ("/var/log/quadrille", "audit_log")):
        assert tomllib.loads(written)[setting].startswith(folder)


@pytest.mark.parametrize("folder", sorted(path.name for path in DEPLOY.iterdir()))
def test_the_guide_names_every_file(folder):
    for file in (DEPLOY / folder).iterdir():
        assert f"deploy/{folder}" in GUIDE and file.name in GUIDE, file
