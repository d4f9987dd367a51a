#!/usr/bin/env python3
"""Checks the Grafana dashboards without a Grafana.

usage: dashboards.py [FOLDER-OF-SCHEMAS]

Holds: the dashboards are what generate.py writes; every panel has a title, a description and a unit;
counters are aggregated after rate; the TV board has no variable; no two panels overlap; and, where
Grafana's published JSON schemas are there, nothing that they forbid. Needs jsonschema and PyYAML.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

GRAFANA = pathlib.Path(__file__).resolve().parent.parent / "deploy/grafana"
SCHEMA_OF = {"state-timeline": "statetimeline"}
faults = []


def check_current():
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, GRAFANA / "generate.py", folder], check=True)
        made = {file.name: file.read_text() for file in pathlib.Path(folder).iterdir()}
    kept = {file.name: file.read_text() for file in (GRAFANA / "dashboards").iterdir()}
    for name in sorted(made.keys() | kept.keys()):
        if made.get(name) != kept.get(name):
            faults.append(f"{name} is not what deploy/grafana/generate.py writes")


def loosen(schema):
    """The schemas write `any` as an object of anything; Grafana itself has texts and numbers there."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and schema.get("additionalProperties") == {} and not schema.get("properties"):
            return {}
        return {key: loosen(value) for key, value in schema.items()}
    return [loosen(value) for value in schema] if isinstance(schema, list) else schema


def validate(schemas, name, value, where, definition=None):
    file = schemas / f"{name}.jsonschema.json"
    schema = loosen(json.loads(file.read_text()))
    if definition:
        if definition not in schema["definitions"]:
            return
        schema = {"$ref": f"#/definitions/{definition}", "definitions": schema["definitions"]}
    for error in jsonschema.Draft7Validator(schema).iter_errors(value):
        faults.append(f"{where}: {'/'.join(map(str, error.absolute_path))}: {error.message[:200]}")


def check_schemas(schemas, name, board):
    validate(schemas, "dashboard", {**board, "panels": []}, name)
    for panel in board["panels"]:
        where = f"{name}: {panel['title']}"
        validate(schemas, "dashboard", panel, where, "Panel")
        kind = SCHEMA_OF.get(panel["type"], panel["type"])
        if not (schemas / f"{kind}.jsonschema.json").exists():
            faults.append(f"{where}: no schema for {kind}")
            continue
        validate(schemas, kind, panel["options"], where, "Options")
        custom = panel["fieldConfig"]["defaults"].get("custom")
        if custom:
            validate(schemas, kind, custom, where, "FieldConfig")
        for target in panel["targets"]:
            validate(schemas, "prometheus", target, where)


def check_panel(name, panel):
    where = f"{name}: {panel.get('title')}"
    if not panel.get("title") or len(panel.get("description", "")) < 9:
        faults.append(f"{where}: no title or description")
    if not panel["fieldConfig"]["defaults"].get("unit"):
        faults.append(f"{where}: no unit")
    refs = [target["refId"] for target in panel["targets"]]
    if len(refs) != len(set(refs)):
        faults.append(f"{where}: two queries have one name")
    for target in panel["targets"]:
        expr = target["expr"]
        for counter in re.findall(r"\b(queuepulse_\w+_total)\b", expr):
            if not re.search(r"\b(sum|max)\b.*\((rate|increase)\(" + counter, expr):
                faults.append(f"{where}: {counter} without rate or not aggregated after it")
        if "instance" in target["legendFormat"] and "instance" not in expr:
            faults.append(f"{where}: legend without a label")


def check_grid(name, board):
    cells = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        own = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        if own & cells or at["x"] + at["w"] > 24:
            faults.append(f"{name}: {panel['title']} overlaps or sticks out")
        cells |= own


def check_provisioning():
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/queuepulse.yaml").read_text())
    uids = {source["uid"] for source in sources["datasources"]}
    fixed = set(re.findall(r'"uid": "(queuepulse-prometheus)"', (GRAFANA / "dashboards/floor.json").read_text()))
    if not fixed <= uids:
        faults.append("the floor board's data source is not provisioned")
    yaml.safe_load((GRAFANA / "provisioning/dashboards/queuepulse.yaml").read_text())


def main():
    schemas = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else None
    check_current()
    check_provisioning()
    boards = {file.name: json.loads(file.read_text()) for file in sorted((GRAFANA / "dashboards").glob("*.json"))}
    uids = {board["uid"] for board in boards.values()}
    for name, board in boards.items():
        if board["editable"] or "id" in board:
            faults.append(f"{name}: editable, or with an id")
        for target in re.findall(r"/d/([\w-]+)", json.dumps(board)):
            if target not in uids:
                faults.append(f"{name}: link to {target}, which is not there")
        for panel in board["panels"]:
            check_panel(name, panel)
        check_grid(name, board)
        if schemas:
            check_schemas(schemas, name, board)
    if "$" in re.sub(r"\$\{__data", "", json.dumps(boards["floor.json"])):
        faults.append("floor.json: a variable on the TV board")
    panels = sum(len(board["panels"]) for board in boards.values())
    print(f"{len(boards)} dashboards, {panels} panels, {'schemas hold' if schemas else 'no schemas'}: {len(faults)} faults")
    sys.exit("\n".join(faults) if faults else 0)


main()
