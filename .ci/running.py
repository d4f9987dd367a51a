"""Starts what the checks look at, on loopback and free ports: the demo, Prometheus, Alertmanager.

Everything started is a context manager and ends with its block.
"""
import contextlib
import json
import re
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(*command, **options):
    child = subprocess.Popen([str(part) for part in command], text=True, **options)
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def demo_address(child):
    """Where the demo says that it listens."""
    lines = []
    for line in child.stdout:
        lines.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            threading.Thread(target=child.stdout.read, daemon=True).start()
            return found[0]
    raise SystemExit("the demo ended without an address:\n" + "".join(lines))


@contextlib.contextmanager
def demo(binary, *arguments):
    """The process and its address, with figures on /metrics."""
    with process(binary, "demo", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as child:
        engine = demo_address(child)
        within(30, "figures on /metrics", lambda: 'window="today"' in get(f"{engine}/metrics"))
        yield child, engine


@contextlib.contextmanager
def prometheus(folder, config, *arguments):
    """A Prometheus with this configuration; `folder` holds its data."""
    folder.mkdir(parents=True, exist_ok=True)
    file, port = folder / "prometheus.yml", free_port()
    file.write_text(config)
    with process("prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}", "--log.level=error", *arguments):
        address = f"http://127.0.0.1:{port}"
        within(30, "Prometheus", lambda: get(f"{address}/-/ready"))
        yield address


def query(address, expression):
    """The result, its warnings; a fault's text in place of the result."""
    url = f"{address}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    try:
        answer = json.loads(get(url))
    except urllib.error.HTTPError as fault:
        return fault.read().decode(), []
    return answer["data"]["result"], answer.get("warnings", []) + answer.get("infos", [])


def value(address, expression):
    """The first value, or none."""
    result, _ = query(address, expression)
    return float(result[0]["value"][1]) if result else None
