"""The job as a batch: slow, obvious, and written without a look at the other programs."""

import datetime
import json
from collections import defaultdict

THRESHOLD = 20_000
FIELDS = ("answered", "within", "abandoned", "handled", "wait_ms", "handle_ms", "longest_ms")


def millis(time):
    if isinstance(time, int):
        return time
    moment = datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
    return round(moment.timestamp() * 1000)


def facts_of(file, moved_by):
    """(time, queue, what, ms) of one partition, whose times are moved by so many ms."""
    waiting, talking, last = {}, {}, {}
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            event = json.loads(line)
            kind, at = event["type"], millis(event["time"]) + moved_by
            contact = (event["client_id"], event["contact_id"])
            queue = "/".join((event["client_id"], event.get("queue_id", ""), event.get("channel", "voice")))
            exits = {
                "contact.queued": "left",
                "contact.answered": "answered",
                "contact.dequeued": "abandoned" if event.get("outcome") == "abandoned" else "left",
                "contact.ended": "abandoned",
                "contact.closed": "abandoned",
            }
            if contact in waiting and kind in exits:
                since, of = waiting.pop(contact)
                yield at, of, exits[kind], at - since
            elif contact in talking and (
                kind in ("contact.ended", "contact.closed")
                or (kind == "contact.transferred" and event["kind"] == "blind")
            ):
                since, of = talking.pop(contact)
                stated = event["talk_ms"] + event.get("hold_ms", 0) if "talk_ms" in event else at - since
                yield at, of, "handled", stated
            if kind == "contact.queued":
                waiting[contact] = (at, queue)
            elif kind == "contact.answered":
                talking[contact] = (at, queue)
                last[contact] = queue
            elif kind == "contact.wrapped_up" and "acw_ms" in event:
                yield at, last[contact], "after contact", event["acw_ms"]


def count(sums, what, ms):
    if what == "answered":
        sums["answered"] += 1
        sums["within"] += ms <= THRESHOLD
        sums["wait_ms"] += ms
    elif what == "abandoned":
        sums["abandoned"] += 1
    elif what == "handled":
        sums["handled"] += 1
    if what in ("handled", "after contact"):
        sums["handle_ms"] += ms
    else:
        sums["longest_ms"] = max(sums["longest_ms"], ms)


def empty():
    return dict.fromkeys(FIELDS, 0) | {"longest_ms": -1}


def tile(facts, end, size):
    """Sums by (window's end, queue) of windows side by side up to `end`, each without its end."""
    windows = defaultdict(empty)
    for at, queue, what, ms in facts:
        if at < end:
            count(windows[end - (end - 1 - at) // size * size, queue], what, ms)
    return windows


def window(facts, start, end):
    """Sums by queue of one window, its end included and its start not, as queuepulse has it."""
    windows = defaultdict(empty)
    for at, queue, what, ms in facts:
        if start < at <= end:
            count(windows[queue], what, ms)
    return windows
