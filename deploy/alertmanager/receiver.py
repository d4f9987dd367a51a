#!/usr/bin/env python3
"""Prints the alerts that Alertmanager sends: the receiver of deploy/compose.yaml and of the test.

usage: receiver.py ADDRESS PORT

One line of JSON an alert: the receiver's name (the path), status, labels, summary, begin and end.
"""
import http.server
import json
import sys
import threading

turn = threading.Lock()


def say(alert):
    with turn:
        sys.stdout.write(json.dumps(alert) + "\n")
        sys.stdout.flush()


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        for alert in json.loads(body)["alerts"]:
            say({
                "receiver": self.path.strip("/"),
                "status": alert["status"],
                "labels": alert["labels"],
                "summary": alert["annotations"].get("summary", ""),
                "from": alert["startsAt"],
                "to": alert["endsAt"] if alert["status"] == "resolved" else None,
            })
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Receiver)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
