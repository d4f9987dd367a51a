#!/usr/bin/env python3
"""Checks the demo's /metrics with promtool, and with a real Prometheus that scrapes it.

usage: prometheus.py QUEUEPULSE-BINARY

Holds: promtool finds nothing; no queue has more than 80 samples; PromQL sums over queues equal the
engine's own total row; the board of agents counts each once, of all clients and of one; every
expression of every rule, dashboard and dashboard variable gives data, or nothing for a reason that
stands in empty.yml; Ctrl-C ends the demo within 3 s with status 0.
Needs PyYAML.
"""
import collections
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse

import yaml

from running import demo, get, prometheus, query, value, within

CI = pathlib.Path(__file__).resolve().parent
DEPLOY = CI.parent / "deploy"
MOST_SAMPLES = 80
# A PromQL sum over queues, and the key of the total row's window "today" that it must equal.
SUMS = {f'sum(queuepulse_window_{key}{{window="today"}})': key
        for key in ("offered", "answered", "abandoned")}
# What Grafana would put in. One queue where a board shows one, else all.
ONE = {"client": "acme", "queue": "sales", "channel": "voice"}
EVERY = {"client": ".*", "queue": ".*", "channel": ".*", "group": ".*", "__rate_interval": "20s"}
SELECTOR = re.compile(r"(?<![\w:])((?:[a-z]+:)?(?:queuepulse_\w+|scrape_\w+|up|ALERTS)(?::\w+)?(?![\w:])(?:\{[^}]*\})?)")


def check_samples(text):
    counts = collections.Counter()
    for line in text.splitlines():
        queue = re.match(r'queuepulse_\w+\{client="([^"]*)",queue="([^"]*)",channel="([^"]*)"', line)
        if queue:
            counts[queue.groups()] += 1
    if len(counts) < 12:
        raise SystemExit(f"only {len(counts)} queues have samples")
    queue, most = counts.most_common(1)[0]
    if most > MOST_SAMPLES:
        raise SystemExit(f"{queue} has {most} samples, more than {MOST_SAMPLES}")
    print(f"{len(counts)} queues, at most {most} samples each")


def check_names(text):
    check = subprocess.run(["promtool", "check", "metrics"], input=text, text=True, capture_output=True)
    if check.returncode or check.stdout or check.stderr:
        raise SystemExit(f"promtool check metrics: {check.stdout}{check.stderr}")


def sums_agree(engine, address):
    """Both are asked until they show one instant: contacts go on arriving meanwhile."""
    total = json.loads(get(f"{engine}/api/v1/snapshot"))["total"]["windows"]["today"]
    sums = {key: value(address, expression) for expression, key in SUMS.items()}
    if any(sums[key] != total[key] for key in sums) or not total["offered"]:
        return None
    print("sums over queues equal the total row:", sums)
    return True


def filled(expression, names=None):
    """A dashboard's expression as Grafana would send it."""
    names = names or (ONE if '="$client"' in expression else {})
    for name, text in (EVERY | names).items():
        expression = expression.replace(f"${name}", text)
    return expression


def expressions():
    """Where it stands, the expression; of an alert its selectors too, as it is silent mostly."""
    for file in sorted(DEPLOY.glob("prometheus/rules/*.yml")):
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                yield rule.get("record") or rule["alert"], rule["expr"]
                if "alert" in rule:
                    for selector in SELECTOR.findall(rule["expr"]):
                        yield f"{rule['alert']}: {selector}", selector
    for file in sorted(DEPLOY.glob("grafana/dashboards/*.json")):
        board = json.loads(file.read_text())
        for panel in board["panels"]:
            for target in panel["targets"]:
                yield f"{board['uid']}: {panel['title']} {target['refId']}", filled(target["expr"])


def check_agents(address):
    """Clients must not be added up; both sides are asked at one instant."""
    online = next(panel for panel in json.loads((DEPLOY / "grafana/dashboards/agents.json").read_text())["panels"] if panel["title"] == "Online")
    shown = online["targets"][0]["expr"]
    several = "sum(max by (client) (queuepulse_client_agents_online)) > max(queuepulse_all_agents_online)"
    within(60, "an agent of two clients", lambda: value(address, several))
    for names, right in ((EVERY, "max(queuepulse_all_agents_online)"), (ONE, 'max(queuepulse_client_agents_online{client="acme"})')):
        if value(address, f"({filled(shown, names)}) - {right}") != 0:
            raise SystemExit(f"agents.json: {shown} is not {right}")


def variables():
    for file in sorted(DEPLOY.glob("grafana/dashboards/*.json")):
        for variable in json.loads(file.read_text())["templating"]["list"]:
            found = re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"])
            if found:
                yield file.name, filled(found[1]), found[2]


def fault_of(address, expression, reasons):
    """What is wrong with an expression; none when it gives data or may give nothing."""
    result, warnings = query(address, expression)
    if isinstance(result, str) or warnings:
        return f"{result} {warnings}"
    numbers = [float(row["value"][1]) for row in result]
    if any(number != number or number in (float("inf"), float("-inf")) for number in numbers):
        return "a number that is none"
    return None if result or reasons else "nothing, and empty.yml gives no reason"


def check_expressions(address):
    allowed = yaml.safe_load((CI / "empty.yml").read_text())
    pending, used, quiet = dict(expressions()), set(), 0

    def settled():
        """Asks again what gave nothing: a rate needs its interval, a record its first round."""
        for place, expression in list(pending.items()):
            if not fault_of(address, expression, False):
                del pending[place]
        return not [place for place in pending if not reason(allowed, place, used)]

    total = len(pending)
    try:
        within(60, "expressions", settled)
    except SystemExit:
        pass
    faults = []
    for place, expression in pending.items():
        fault = fault_of(address, expression, reason(allowed, place, used))
        quiet += not fault
        if fault:
            faults.append(f"{place}: {fault}\n    {' '.join(expression.split())}")
    faults += [f"empty.yml: {entry} fits nothing" for entry in allowed if not any(re.fullmatch(entry, place) for place, _ in expressions())]
    for name, selector, label in variables():
        url = f"{address}/api/v1/label/{label}/values?" + urllib.parse.urlencode({"match[]": selector})
        if not json.loads(get(url))["data"]:
            faults.append(f"{name}: variable {selector} {label} has no value")
    if faults:
        raise SystemExit("\n".join(faults))
    print(f"{total} expressions: {total - quiet} give data, {quiet} nothing for a written reason")


def reason(allowed, place, used):
    for entry in allowed:
        if re.fullmatch(entry, place):
            used.add(entry)
            return allowed[entry]
    return None


def main():
    with tempfile.TemporaryDirectory(prefix="queuepulse-ci-") as folder, demo(sys.argv[1]) as (child, engine):
        text = get(f"{engine}/metrics")
        check_names(text)
        check_samples(text)
        config = ("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
                  f"rule_files: ['{DEPLOY}/prometheus/rules/*.yml']\n"
                  "scrape_configs:\n- job_name: queuepulse\n  static_configs:\n"
                  f"  - targets: ['{engine.removeprefix('http://')}']\n")
        with prometheus(pathlib.Path(folder), config) as address:
            within(30, "a scrape", lambda: value(address, 'up{job="queuepulse"}') == 1)
            within(60, "equal sums", lambda: sums_agree(engine, address))
            check_agents(address)
            check_expressions(address)
        # Half a question, and a stream that nobody reads, must not hold up the end.
        host, port = engine.removeprefix("http://").split(":")
        half, deaf = (socket.create_connection((host, int(port))) for _ in range(2))
        half.sendall(b"GET /metrics HTT")
        deaf.sendall(b"GET /api/v1/stream HTTP/1.1\r\nhost: x\r\n\r\n")
        time.sleep(1)
        begin = time.monotonic()
        child.send_signal(signal.SIGINT)
        status = child.wait(timeout=10)
        took = time.monotonic() - begin
    if status or took > 3:
        raise SystemExit(f"Ctrl-C ended the demo after {took:.1f} s with status {status}")


main()
