#!/usr/bin/env python3
"""Whether Alertmanager really receives what the simulator causes, and its end.

usage: alerting.py QUEUEPULSE-BINARY [PATTERN [MINUTES]]

The demo, Prometheus with the rules, Alertmanager with the example configuration and the example
receiver, all real, on loopback; only waiting times are shortened, and Alertmanager's `alerts` host is
the local one. The demo's centre has a spike and an outage every few minutes. Holds, within MINUTES (5):

1. An alert of a queue whose name matches PATTERN (any) fires, reaches the receiver of its client, and
   its resolution does; the watchdog reaches the heartbeat.
2. The demo is killed: EngineAbsent reaches those on call, alerts of queues are inhibited.
3. It is started again: the resolution of EngineAbsent reaches them.
"""
import json
import pathlib
import re
import sys
import tempfile
import time

from running import demo, free_port, get, process, prometheus, value, within

DEPLOY = pathlib.Path(__file__).resolve().parent.parent / "deploy"


def shortened(text):
    """Rules and routes without their patience; what they say stays."""
    text = re.sub(r"(\n +(?:for|keep_firing_for|group_wait|group_interval|resolve_timeout):) \w+", r"\1 1s", text)
    return re.sub(r"mute_time_intervals: \[\w+\]", "continue: false", text)


def write_rules(folder):
    for file in DEPLOY.glob("prometheus/rules/*.yml"):
        (folder / file.name).write_text(shortened(file.read_text()))
    return f"{folder}/*.yml"


def alertmanager(folder, receiver):
    config, port = folder / "alertmanager.yml", free_port()
    text = shortened((DEPLOY / "alertmanager/alertmanager.yml").read_text())
    config.write_text(text.replace("http://alerts:9099", f"http://127.0.0.1:{receiver}"))
    return port, process("prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder}/alertmanager",
                         f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address=", "--log.level=error")


class Received:
    """What has reached the receiver so far."""

    def __init__(self, file):
        self.file = file

    def all(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def first(self, status, receiver, **labels):
        for alert in self.all():
            names = alert["labels"]
            if (alert["status"] == status and re.fullmatch(receiver, alert["receiver"])
                    and all(re.fullmatch(pattern, names.get(key, "")) for key, pattern in labels.items())):
                return alert
        return None


def breach_and_end(received, pattern, since):
    """A pair of firing and resolved of one alert of one queue."""
    for fired in received.all():
        names = fired["labels"]
        if fired["status"] != "firing" or names.get("scope") != "queue" or not re.fullmatch(pattern, names["alertname"]):
            continue
        same = {key: re.escape(text) for key, text in names.items()}
        ended = received.first("resolved", re.escape(fired["receiver"]), **same)
        if ended:
            who = f"{names['client']}/{names.get('queue', '')}"
            print(f"{names['alertname']} of {who} fired and was resolved at {fired['receiver']}, "
                  f"{time.monotonic() - since:.0f} s after the start\n  {fired['summary']}\n  from {ended['from']} to {ended['to']}")
            if names["client"] in ("acme", "nordbank") and not fired["receiver"].startswith(names["client"]):
                raise SystemExit(f"{names} went to {fired['receiver']}")
            return True
    return False


def inhibited(address):
    """No alert of a queue is active: each is over or suppressed."""
    alerts = json.loads(get(f"{address}/api/v2/alerts"))
    return all(alert["status"]["state"] == "suppressed" for alert in alerts if alert["labels"].get("scope") == "queue")


def main():
    binary, pattern = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ".*"
    patience = 60 * float(sys.argv[3]) if len(sys.argv) > 3 else 300
    since = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="queuepulse-ci-") as name:
        folder, hears, listen = pathlib.Path(name), free_port(), f"127.0.0.1:{free_port()}"
        (folder / "rules").mkdir()
        lines = folder / "received"
        received = Received(lines)
        port, manager = alertmanager(folder, hears)
        config = ("global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n"
                  f"rule_files: ['{write_rules(folder / 'rules')}']\n"
                  f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{port}']}}]}}]}}\n"
                  f"scrape_configs: [{{job_name: queuepulse, static_configs: [{{targets: ['{listen}']}}]}}]\n")
        address = f"http://127.0.0.1:{port}"
        with (lines.open("w") as output,
              process(sys.executable, DEPLOY / "alertmanager/receiver.py", "127.0.0.1", hears, stdout=output),
              manager, prometheus(folder / "prometheus", config, "--rules.alert.resend-delay=2s") as metrics):
            within(30, "Alertmanager", lambda: get(f"{address}/-/ready"))
            with demo(binary, "--listen", listen) as (child, _):
                within(30, "a scrape", lambda: value(metrics, 'up{job="queuepulse"}') == 1)
                within(30, "the watchdog", lambda: received.first("firing", "heartbeat", alertname="Watchdog"))
                within(patience, "a breach and its end", lambda: breach_and_end(received, pattern, since))
                child.kill()
                child.wait()
                killed = time.monotonic()
                within(30, "the outage", lambda: received.first("firing", "platform-on-call", alertname="EngineAbsent"))
                print(f"EngineAbsent reached those on call {time.monotonic() - killed:.1f} s after the kill")
                within(30, "inhibition", lambda: inhibited(address))
            with demo(binary, "--listen", listen):
                begun = time.monotonic()
                within(60, "the end of the outage", lambda: received.first("resolved", "platform-on-call", alertname="EngineAbsent"))
                print(f"its end {time.monotonic() - begun:.1f} s after the restart; {len(received.all())} alerts received")


main()
