#!/usr/bin/env python3
"""Writes prometheusrule.yaml: the rules of ../prometheus/rules as the Prometheus operator wants them.

usage: rules.py [FILE]     another file than prometheusrule.yaml: to compare
"""
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
HEAD = """\
# Made by rules.py of ../prometheus/rules; do not edit.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: queuepulse
spec:
  groups:
"""


def groups(text):
    """A rule file's groups, without the comments before them, two deeper."""
    lines = text[text.index("\ngroups:\n") + len("\ngroups:\n"):].splitlines()
    return "".join(f"  {line}\n" if line else "\n" for line in lines)


def main():
    made = HEAD + "".join(groups(file.read_text()) for file in sorted(HERE.glob("../prometheus/rules/*.yml")))
    (pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "prometheusrule.yaml").write_text(made)


if __name__ == "__main__":
    main()
