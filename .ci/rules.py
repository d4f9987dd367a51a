#!/usr/bin/env python3
"""Checks rules, their tests and the Alertmanager example with Prometheus' and Alertmanager's own tools.

usage: rules.py

Holds: promtool and amtool find nothing; every rule test passes; each alert and each recorded series
stands in a test, each `for` in one of its own, says what the other alerts say, and has its runbook; no
metric is named that docs/metrics.md does not have. Needs promtool, amtool and PyYAML.
"""
import pathlib
import re
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROMETHEUS = ROOT / "deploy/prometheus"
RULES = sorted(PROMETHEUS.glob("rules/*.yml"))
TESTS = sorted(PROMETHEUS.glob("tests/*.yml"))
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
ANNOTATIONS = {"summary", "description", "dashboard", "runbook_url"}
SEVERITIES = {"critical", "warning", "info", "none"}
# Who is told: labels of an alert, and the receiver that Alertmanager must choose.
ROUTES = [
    ({"scope": "queue", "client": "acme", "severity": "critical"}, "acme-shift-lead"),
    ({"scope": "queue", "client": "acme", "severity": "warning"}, "acme-supervisors"),
    ({"scope": "queue", "client": "nordbank", "severity": "critical"}, "nordbank-supervisors"),
    ({"scope": "queue", "client": "globex", "severity": "critical"}, "supervisors"),
    ({"scope": "queue", "client": "acme", "severity": "info"}, "day-list"),
    ({"scope": "engine", "severity": "critical"}, "platform-on-call"),
    ({"scope": "engine", "severity": "warning"}, "platform"),
    ({"scope": "engine", "severity": "none", "alertname": "Watchdog"}, "heartbeat"),
]
faults = []


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        faults.append(f"{' '.join(map(str, command))}:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def check_alert(alert, tested):
    name, waits = alert["alert"], PROMETHEUS / "tests/for.yml"
    missing = ANNOTATIONS - set(alert["annotations"])
    if missing:
        faults.append(f"{name}: no {', '.join(sorted(missing))}")
    if alert["labels"].get("severity") not in SEVERITIES or alert["labels"].get("scope") not in ("queue", "engine"):
        faults.append(f"{name}: severity or scope is unknown")
    page = ROOT / f"docs/runbooks/{name}.md"
    if not page.exists() or not alert["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{name}.md"):
        faults.append(f"{name}: no runbook")
    dashboard = re.search(r"/d/([\w-]+)", alert["annotations"]["dashboard"])
    if not dashboard or f'"uid": "{dashboard[1]}"' not in dashboards():
        faults.append(f"{name}: its dashboard does not exist")
    if name not in tested:
        faults.append(f"{name}: no test")
    if "for" in alert and f'alertname="{name}"' not in waits.read_text():
        faults.append(f"{name}: {waits.name} does not hold its `for`")


def dashboards():
    return "".join(file.read_text() for file in ROOT.glob("deploy/grafana/dashboards/*.json"))


def check_names():
    """Every metric that is named anywhere is one of the catalogue, or recorded."""
    known = set(re.findall(r"`(queuepulse_\w+)`", (ROOT / "docs/metrics.md").read_text()))
    rules = "".join(file.read_text() for file in RULES)
    groups = set(re.findall(r"^- name: (queuepulse_\w+)", rules, re.M))
    folders = ("deploy/**/*.yml", "deploy/**/*.yaml", "deploy/**/*.json", "docs/runbooks/*.md", "docs/operations.md")
    for file in sorted({file for folder in folders for file in ROOT.glob(folder)}):
        for name in set(re.findall(r"(?<![\w:])(queuepulse_\w*\w)(?![\w:…])", file.read_text())):
            if name not in known | groups:
                faults.append(f"{file.relative_to(ROOT)}: {name} is not in docs/metrics.md")
        recorded = set(re.findall(r"[a-z]+:queuepulse_\w+:\w+", file.read_text()))
        for name in recorded - set(re.findall(r"record: (\S+)", rules)):
            faults.append(f"{file.relative_to(ROOT)}: {name} is not recorded")


def check_routes():
    for labels, receiver in ROUTES:
        pairs = [f"{key}={value}" for key, value in labels.items()]
        chosen = run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *pairs)
        if chosen != receiver:
            faults.append(f"{labels} goes to {chosen}, not to {receiver}")


def main():
    run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")
    run("promtool", "check", "rules", *RULES)
    run("promtool", "test", "rules", *TESTS)
    run("amtool", "check-config", ALERTMANAGER)
    check_routes()
    check_names()
    tested = "".join(file.read_text() for file in TESTS)
    rules = [rule for file in RULES for group in yaml.safe_load(file.read_text())["groups"] for rule in group["rules"]]
    alerts = [rule for rule in rules if "alert" in rule]
    for alert in alerts:
        check_alert(alert, tested)
    for rule in rules:
        if "record" in rule and rule["record"] not in tested and not rule["record"].startswith("queue:queuepulse_queue_info"):
            faults.append(f"{rule['record']}: no test")
    orphans = {page.stem for page in ROOT.glob("docs/runbooks/*.md")} - {alert["alert"] for alert in alerts}
    faults.extend(f"docs/runbooks/{name}.md is of no alert" for name in sorted(orphans))
    print(f"{len(alerts)} alerts, {len(rules) - len(alerts)} recorded series, {len(faults)} faults")
    sys.exit("\n".join(faults) if faults else 0)


main()
