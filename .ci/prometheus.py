#!/usr/bin/env python3
"""Checks the demo's /metrics with promtool, and with a real Prometheus that scrapes it.

usage: prometheus.py QUEUEPULSE-BINARY

Holds: promtool finds nothing; no queue has more than 80 samples; PromQL sums over queues equal the
engine's own total row; Ctrl-C ends the demo within 3 s with status 0.
"""
import collections, json, pathlib, re, signal, socket, subprocess, sys, tempfile, threading, time
import urllib.parse, urllib.request

MOST_SAMPLES = 80
# A PromQL sum over queues, and the key of the total row's window "today" that it must equal.
SUMS = {f'sum(queuepulse_window_{key}{{window="today"}})': key
        for key in ("offered", "answered", "abandoned")}


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def within(seconds, what, attempt):
    """Repeats the attempt until it gives something true."""
    end, last = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            last = attempt()
            if last:
                return last
        except OSError as fault:
            last = fault
        time.sleep(0.05)
    raise SystemExit(f"{what}: not within {seconds} s ({last})")


def demo_address(demo, lines):
    for line in demo.stdout:
        lines.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            threading.Thread(target=demo.stdout.read, daemon=True).start()
            return found[0]
    raise SystemExit("the demo ended without an address:\n" + "".join(lines))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


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


def query(prometheus, expression):
    text = get(f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression}))
    result = json.loads(text)["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def sums_agree(engine, prometheus):
    """Both are asked until they show one instant: contacts go on arriving meanwhile."""
    total = json.loads(get(f"{engine}/api/v1/snapshot"))["total"]["windows"]["today"]
    sums = {key: query(prometheus, expression) for expression, key in SUMS.items()}
    if any(sums[key] != total[key] for key in sums) or not total["offered"]:
        return None
    print("sums over queues equal the total row:", sums)
    return True


def main():
    folder = tempfile.TemporaryDirectory(prefix="queuepulse-ci-")
    demo = subprocess.Popen([sys.argv[1], "demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    prometheus = None
    try:
        engine = demo_address(demo, [])
        text = within(30, "figures on /metrics", lambda: (
            lambda text: text if 'window="today"' in text else None)(get(f"{engine}/metrics")))
        check_names(text)
        check_samples(text)
        port = free_port()
        config = pathlib.Path(folder.name, "prometheus.yml")
        config.write_text("global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
                          "scrape_configs:\n- job_name: queuepulse\n  static_configs:\n"
                          f"  - targets: ['{engine.removeprefix('http://')}']\n")
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder.name}/data",
             f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"])
        address = f"http://127.0.0.1:{port}"
        within(30, "a scrape", lambda: query(address, 'up{job="queuepulse"}') == 1)
        within(60, "equal sums", lambda: sums_agree(engine, address))
    finally:
        if prometheus:
            prometheus.terminate()
            prometheus.wait()
        begin = time.monotonic()
        demo.send_signal(signal.SIGINT)
        status = demo.wait(timeout=10)
        took = time.monotonic() - begin
        folder.cleanup()
    if status or took > 3:
        raise SystemExit(f"Ctrl-C ended the demo after {took:.1f} s with status {status}")


main()
