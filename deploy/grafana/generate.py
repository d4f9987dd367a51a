#!/usr/bin/env python3
"""Writes the Grafana dashboards: dashboards/*.json beside this script.

Hand-kept JSON of five boards is ten times this and drifts. Here a panel is one call; every panel has
a title, a description and a unit. Levels are never written into a board: a service level is shown
beside the exported target of its own queue, or as its distance from it, which is coloured at 0.
Colours are blue, orange and dark red, and never alone: a sign, a word or a line says the same.

The floor board is for a screen on the wall: no variable, the data source by its fixed uid.
"""
import argparse
import json
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
GOOD, WARN, BAD, CALM = "blue", "orange", "dark-red", "text"
FIXED = {"type": "prometheus", "uid": "queuepulse-prometheus"}
CHOSEN = {"type": "prometheus", "uid": "${datasource}"}
QUEUE = "client, queue, channel"
# The rows that the variables choose; the group stands on queue_info only.
PICK = 'client=~"$client", queue=~"$queue", channel=~"$channel"'
# Against the target: points below are bad, a tenth of the target near it.
GAP = [(None, BAD), (-0.2, WARN), (0, GOOD)]
NOTHING = [{"type": "special", "options": {"match": "null+nan", "result": {"text": "–", "color": CALM, "index": 0}}}]


def q(expr, legend="", ref="A", instant=False, table=False):
    """One query."""
    query = {"refId": ref, "expr": expr, "legendFormat": legend or "__auto", "editorMode": "code"}
    if instant or table:
        query |= {"instant": True, "range": False}
    else:
        query |= {"instant": False, "range": True}
    if table:
        query["format"] = "table"
    return query


def steps(levels):
    return {"mode": "absolute", "steps": [{"value": value, "color": color} for value, color in levels]}


def fields(unit, levels=None, decimals=None, low=None, high=None, custom=None):
    """The defaults of a panel's fields."""
    color = {"mode": "thresholds"} if levels else {"mode": "palette-classic"}
    config = {"unit": unit, "color": color, "mappings": NOTHING, "thresholds": steps(levels or [(None, CALM)])}
    for key, value in (("decimals", decimals), ("min", low), ("max", high), ("custom", custom)):
        if value is not None:
            config[key] = value
    return config


def override(name, **properties):
    """How one field differs; keys as Grafana names them, `__` for a dot."""
    named = [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": named}


def panel(kind, title, about, queries, defaults, options, overrides=(), **more):
    return {"type": kind, "title": title, "description": about, "targets": queries, "options": options,
            "fieldConfig": {"defaults": defaults, "overrides": list(overrides)}} | more


def stat(title, about, queries, unit, levels=None, decimals=None, overrides=(), spark=True, text="auto"):
    queries = queries if isinstance(queries, list) else [q(queries)]
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "auto", "textMode": text, "colorMode": "value", "justifyMode": "center",
        "graphMode": "area" if spark else "none",
        "wideLayout": True, "showPercentChange": False, "percentChangeColorMode": "standard",
    }
    return panel("stat", title, about, queries, fields(unit, levels or [(None, CALM)], decimals), options, overrides)


def lines(title, about, queries, unit, overrides=(), stack=False, low=0, high=None, bars=False, levels=None, legend="list", **more):
    queries = queries if isinstance(queries, list) else [q(queries)]
    custom = {
        "drawStyle": "bars" if bars else "line", "lineWidth": 2, "fillOpacity": 60 if bars or stack else 8,
        "showPoints": "never", "spanNulls": False, "axisPlacement": "auto",
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        "thresholdsStyle": {"mode": "dashed" if levels else "off"},
    }
    options = {
        "legend": {"displayMode": legend, "placement": "bottom", "showLegend": True, "calcs": ["lastNotNull"] if legend == "table" else []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    defaults = fields(unit, None, low=low, high=high, custom=custom)
    if levels:
        defaults["thresholds"] = steps(levels)
    return panel("timeseries", title, about, queries, defaults, options, overrides, **more)


def table(title, about, queries, names, sort, overrides=(), hide=(), descending=False, size="md"):
    """Instant queries side by side; `names` renames and orders the columns, the rest is hidden."""
    order = {field: at for at, field in enumerate(names)}
    hidden = {field: True for field in ("Time", *hide)}
    options = {"frameIndex": 0, "showHeader": True, "cellHeight": size, "footer": {"show": False, "reducer": ["sum"], "countRows": False}}
    return panel("table", title, about, queries, fields("none", [(None, CALM)], custom={"align": "auto", "inspect": False}),
                 options, overrides, transformations=[
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {"excludeByName": hidden, "indexByName": order, "renameByName": dict(names)}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": sort, "desc": descending}]}}])


def states(title, about, queries, levels, unit, **more):
    options = {
        "mergeValues": True, "showValue": "auto", "alignValue": "center", "rowHeight": 0.9,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel("state-timeline", title, about, queries, fields(unit, levels, custom={"lineWidth": 0, "fillOpacity": 80}), options, **more)


def words(title, text):
    return {"type": "text", "title": title, "description": title, "options": {"mode": "markdown", "content": text}}


def target_line(name="target"):
    """A target is a dashed line in a calm colour."""
    return override(name, custom__lineStyle={"fill": "dash", "dash": [10, 10]}, custom__fillOpacity=0, color={"mode": "fixed", "fixedColor": CALM})


def colored(name, unit, levels, decimals=None):
    properties = {"unit": unit, "thresholds": steps(levels), "color": {"mode": "thresholds"}, "custom__cellOptions": {"type": "color-text"}}
    if decimals is not None:
        properties["decimals"] = decimals
    return override(name, **properties)


def to_queue(name):
    url = "/d/queuepulse-queue?var-client=${__data.fields.client}&var-queue=${__data.fields.queue}&var-channel=${__data.fields.channel}"
    return override(name, links=[{"title": "This queue", "url": url}])


def variable(name, label, query, every=True, several=True):
    """Of which one value can be chosen, or `every` one, or `several`."""
    made = {"type": "query", "name": name, "label": label, "query": query, "datasource": CHOSEN, "refresh": 2, "sort": 1,
            "multi": every and several, "includeAll": every}
    return made | ({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if every else {})


SOURCE = {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus"}


def of_queues(many=True):
    """client, group, channel, queue, each within those before it."""
    info = "queuepulse_queue_info"
    return [
        SOURCE,
        variable("client", "Client", f"label_values({info}, client)", many),
        variable("group", "Group", f'label_values({info}{{client=~"$client"}}, group)'),
        variable("channel", "Channel", f'label_values({info}{{client=~"$client", group=~"$group"}}, channel)', many),
        variable("queue", "Queue", f'label_values({info}{{client=~"$client", group=~"$group", channel=~"$channel"}}, queue)', many),
    ]


def board(uid, title, about, rows, variables=(), refresh="10s", since="now-1h", tv=False):
    """`rows`: a height and the panels of a row with their widths, of 24."""
    source, panels, y = (FIXED if tv else CHOSEN), [], 0
    for height, row in rows:
        x = 0
        for width, made in row:
            made = json.loads(json.dumps(made))
            made |= {"id": len(panels) + 1, "gridPos": {"x": x, "y": y, "w": width, "h": height}}
            if made["type"] != "text":
                made["datasource"] = source
                for query in made["targets"]:
                    query["datasource"] = source
            panels.append(made)
            x += width
        y += height
    links = [] if tv else [{
        "type": "dashboards", "title": "queuepulse", "tags": ["queuepulse"], "icon": "external link", "tooltip": "", "url": "",
        "asDropdown": False, "includeVars": True, "keepTime": True, "targetBlank": False}]
    return {
        "uid": uid, "title": title, "description": about, "tags": ["queuepulse"], "schemaVersion": 39, "version": 1,
        "editable": False, "graphTooltip": 1, "refresh": refresh, "time": {"from": since, "to": "now"}, "timezone": "browser",
        "templating": {"list": list(variables)}, "links": links, "panels": panels, "annotations": {"list": []}}


AGE = stat("Age of the figures", "How far the oldest figures lie behind the log. Above 15 s what this board shows is the past.",
           "all:queuepulse_data_age_seconds:max", "s",
           [(None, GOOD), (5, WARN), (15, BAD)], 1, spark=False)
AGE["fieldConfig"]["defaults"]["noValue"] = "no engine"


def queue_rows(rows, worst=None):
    """The columns of a table of queues, and how they look. `worst` keeps to the rows of a query."""
    among = f" and on ({QUEUE}) ({worst})" if worst else ""
    where = "" if worst else f"{{{PICK}}}"
    window = lambda span: f'{{window="{span}"}}' if worst else f'{{{PICK}, window="{span}"}}'
    grouped = "" if worst else f' and on ({QUEUE}) queuepulse_queue_info{{group=~"$group"}}'
    one = lambda expr: f"max by ({QUEUE}) ({expr}){among}{grouped}"
    columns = [
        ("service level 5m", one(f"queuepulse_window_service_level_ratio{window('5m')}"), "percentunit", None),
        ("against target", worst or f"queue:queuepulse_service_level_gap:ratio5m{where}{grouped}", "percentunit", GAP),
        ("waiting", one(f"queuepulse_waiting{where}"), "none", None),
        ("past threshold", one(f"queuepulse_waiting_past_threshold{where}"), "none", [(None, CALM), (1, WARN), (5, BAD)]),
        ("oldest wait", one(f"queuepulse_longest_wait_seconds{where}"), "s", None),
        ("available", one(f"queuepulse_agents_available{where}"), "none", [(None, BAD), (1, CALM)]),
        ("on contact", one(f"queuepulse_agents_on_contact{where}"), "none", None),
        ("abandoned 30m", one(f"queuepulse_window_abandoned{window('30m')}"), "none", None),
    ][:rows]
    refs = "ABCDEFGH"
    queries = [q(expr, ref=refs[at], table=True) for at, (_, expr, _, _) in enumerate(columns)]
    names = {"client": "client", "queue": "queue", "channel": "channel"}
    names |= {f"Value #{refs[at]}": name for at, (name, *_) in enumerate(columns)}
    looks = [to_queue("queue")]
    for name, _, unit, levels in columns:
        digits = 0 if unit in ("percentunit", "s") else None
        looks.append(colored(name, unit, levels or [(None, CALM)], digits))
    return queries, names, looks


def floor():
    worst = "bottomk(15, queue:queuepulse_service_level_gap:ratio5m)"
    queries, names, looks = queue_rows(7, worst)
    alerts = 'max by (alertname, severity, client, queue, channel) (ALERTS{alertstate="firing", scope=~"queue|engine", severity=~"critical|warning"})'
    gap = override("against target", unit="percentunit", thresholds=steps(GAP), color={"mode": "thresholds"}, decimals=0)
    return board("queuepulse-floor", "queuepulse: floor (TV)", "For a screen on the wall: no variable, nothing to click.", [
        (8, [
            (5, stat("Service level, 30 min", "Met of all contacts of the last 30 minutes, each queue by its own threshold; and how far that is from the targets, weighted by contacts.",
                     [q('all:queuepulse_service_level:ratio{window="30m"}', "service level", "A"),
                      q('all:queuepulse_service_level:ratio{window="30m"} - all:queuepulse_service_level_target:ratio{window="30m"}', "against target", "B")],
                     "percentunit", decimals=0, overrides=[gap], text="value_and_name")),
            (4, stat("Waiting", "Contacts that wait, and those of them past their service threshold.",
                     [q("all:queuepulse_waiting:sum", "waiting", "A"), q("all:queuepulse_waiting_past_threshold:sum", "past threshold", "B")],
                     "none", overrides=[override("past threshold", thresholds=steps([(None, CALM), (1, WARN), (10, BAD)]), color={"mode": "thresholds"})], text="value_and_name")),
            (4, stat("Oldest wait", "Age of the contact that has waited longest; – while nobody waits.", "all:queuepulse_longest_wait_seconds:max", "s", [(None, CALM), (60, WARN), (120, BAD)], 0)),
            (4, stat("Agents", "Available with no contact, and online; each agent once.",
                     [q("max(queuepulse_all_agents_available)", "available", "A"), q("max(queuepulse_all_agents_online)", "online", "B")],
                     "none", overrides=[override("available", thresholds=steps([(None, BAD), (1, GOOD)]), color={"mode": "thresholds"})], text="value_and_name")),
            (4, stat("Occupancy, 30 min", "Busy / (busy + available), each agent once. Above 85 % is hard to keep up.", 'all:queuepulse_occupancy:ratio{window="30m"}', "percentunit", [(None, CALM), (0.85, WARN), (0.9, BAD)], 0)),
            (3, AGE),
        ]),
        (16, [
            (17, table("Queues, worst first", "The 15 queues that are farthest below their target over five minutes; fewer than five contacts decide nothing.", queries, names, "against target", looks, size="md")),
            (7, table("Alerts", "What fires now.", [q(alerts, table=True)],
                      {"severity": "severity", "alertname": "alert", "client": "client", "queue": "queue"}, "severity",
                      [override("severity", mappings=[{"type": "value", "options": {
                          "critical": {"text": "▼ critical", "color": BAD, "index": 0}, "warning": {"text": "! warning", "color": WARN, "index": 1}}}],
                          custom__cellOptions={"type": "color-text"})], hide=("Value", "channel"))),
        ]),
    ], refresh="5s", tv=True)


def queue():
    row = f'{{client="$client", queue="$queue", channel="$channel"}}'
    window = lambda span: f'{{client="$client", queue="$queue", channel="$channel", window="{span}"}}'
    one = lambda metric, labels=row: f"max({metric}{labels})"
    level = 'max by (window) (queuepulse_window_service_level_ratio{client="$client", queue="$queue", channel="$channel"})'
    gap = 'max(queue:queuepulse_service_level_gap:ratio5m{client="$client", queue="$queue", channel="$channel"})'
    ratio30 = f"max(queuepulse_window_abandoned{window('30m')} / (queuepulse_window_answered{window('30m')} + queuepulse_window_abandoned{window('30m')} > 0))"
    per = lambda counter, extra="": f"sum(rate({counter}{{client=\"$client\", queue=\"$queue\", channel=\"$channel\"{extra}}}[$__rate_interval])) * 60"
    return board("queuepulse-queue", "queuepulse: queue", "One queue: now, and its last hours.", [
        (5, [
            (4, stat("Service level", "Over 5 and 30 minutes and today, by the queue's own variant and threshold.", [q(level, "{{window}}")], "percentunit", decimals=0, spark=False)),
            (3, stat("Against target, 5 min", "Points above or below the queue's own target; 0 of fewer than five contacts, which decide nothing.", gap, "percentunit", GAP, 0)),
            (3, stat("Waiting", "Contacts waiting or ringing, and those past the threshold.", [q(one("queuepulse_waiting"), "waiting", "A"), q(one("queuepulse_waiting_past_threshold"), "past threshold", "B")], "none")),
            (3, stat("Oldest wait", "Age of the contact that has waited longest; – while nobody waits.", one("queuepulse_longest_wait_seconds"), "s", decimals=0)),
            (3, stat("Expected wait", "Of one more arrival; – when nobody is online or nothing was handled.", one("queuepulse_expected_wait_seconds"), "s", decimals=0)),
            (3, stat("Agents available", "Members with no contact at all.", one("queuepulse_agents_available"), "none", [(None, BAD), (1, GOOD)])),
            (3, stat("Abandonment, 30 min", "Abandoned / (answered + abandoned), short ones included.", ratio30, "percentunit", decimals=1)),
            (2, AGE),
        ]),
        (9, [
            (12, lines("Service level and target", "Three windows and the queue's own target; the alert levels are two and three times its error budget.",
                       [q(level, "{{window}}", "A"), q(one("queuepulse_service_level_target_ratio"), "target", "B"),
                        q(f"max(queue:queuepulse_service_level_warning:ratio{row})", "warning", "C"), q(f"max(queue:queuepulse_service_level_critical:ratio{row})", "critical", "D")],
                       "percentunit", high=1, overrides=[target_line(), target_line("warning"), target_line("critical")])),
            (12, lines("Waiting and agents", "Contacts that wait, against the agents who are free.",
                       [q(one("queuepulse_waiting"), "waiting", "A"), q(one("queuepulse_waiting_past_threshold"), "past threshold", "B"), q(one("queuepulse_agents_available"), "available", "C")], "none")),
        ]),
        (9, [
            (12, lines("Contacts a minute by outcome", "Rates of the counters; offered is counted when the visit begins, the others when it ends.",
                       [q(per("queuepulse_answered_total"), "answered", "A"), q(per("queuepulse_abandoned_total"), "abandoned", "B"), q(per("queuepulse_flowed_out_total"), "flowed out", "C"),
                        q(per("queuepulse_callbacks_requested_total"), "callback", "D"), q(per("queuepulse_offered_total"), "offered", "E")],
                       "none", stack=True, overrides=[override("offered", custom__stacking={"mode": "none", "group": "B"}, custom__fillOpacity=0, custom__drawStyle="line")])),
            (12, lines("Waits", "Average speed of answer over 5 and 30 minutes, the oldest wait of now, and the threshold.",
                       [q(f'max by (window) (queuepulse_window_answer_speed_average_seconds{{client="$client", queue="$queue", channel="$channel", window=~"5m|30m"}})', "speed of answer {{window}}", "A"),
                        q(one("queuepulse_longest_wait_seconds"), "oldest wait", "B"), q(one("queuepulse_service_level_threshold_seconds"), "threshold", "C")],
                       "s", overrides=[target_line("threshold")])),
        ]),
        (9, [
            (8, lines("Members by activity", "The queue's members, whatever queue holds them.",
                      [q(one(f"queuepulse_agents_{state}"), name, ref) for ref, state, name in (("A", "available", "available"), ("B", "alerting", "alerting"), ("C", "on_contact", "on contact"), ("D", "acw", "ACW"), ("E", "not_responding", "not responding"))],
                      "none", stack=True)),
            (8, lines("Members in aux by reason", "Presence, so that an agent in aux may also be on a contact.", [q(f"max by (reason) (queuepulse_agents_aux{row})", "{{reason}}")], "none", stack=True)),
            (8, lines("Contacts by state", "In the queue and at its agents.", [q(f"max by (state) (queuepulse_contacts_by_state{row})", "{{state}}")], "none", stack=True)),
        ]),
        (8, [
            (12, lines("Handle time", "Talk, hold and after-contact work of a handled contact, on average over 15 minutes.",
                       [q(f"sum(rate(queuepulse_{part}_seconds_total{row}[15m])) / (sum(rate(queuepulse_handled_total{row}[15m])) > 0)", name, ref) for ref, part, name in (("A", "talk", "talk"), ("B", "hold", "hold"), ("C", "after_contact", "ACW"))],
                       "s", stack=True)),
            (12, lines("Occupancy of the members", "Busy / (busy + available), over 5 and 30 minutes.", [q('max by (window) (queuepulse_window_occupancy_ratio{client="$client", queue="$queue", channel="$channel", window=~"5m|30m"})', "{{window}}")], "percentunit", high=1)),
        ]),
    ], of_queues(many=False), since="now-3h")


def agents():
    chosen = '{client=~"$client"}'
    # An agent may serve several clients, so that clients must not be added up. The series of all agents
    # have no label `client`: `.*`, which is All, finds them; a client finds its own.
    rows = lambda family, name: f"queuepulse_{family}_agents_{name}{chosen}"
    state = lambda name: f"max({rows('all', name)}) or max({rows('client', name)})"
    aux = f"max by (reason) ({rows('all', 'aux')}) or max by (reason) ({rows('client', 'aux')})"
    occupancy = lambda span: f'client:queuepulse_occupancy:ratio{{client=~"$client", window="{span}"}}'
    heat = [(None, GOOD), (0.85, WARN), (0.9, BAD)]
    per_client = [("online", "agents_online"), ("available", "agents_available"), ("on contact", "agents_on_contact"), ("ACW", "agents_acw"), ("not responding", "agents_not_responding")]
    refs = "ABCDE"
    queries = [q(f"max by (client) (queuepulse_client_{key}{chosen})", ref=refs[at], table=True) for at, (_, key) in enumerate(per_client)] + [q(f"max by (client) ({occupancy('30m')})", ref="F", table=True)]
    names = {"client": "client"} | {f"Value #{refs[at]}": name for at, (name, _) in enumerate(per_client)} | {"Value #F": "occupancy 30m"}
    by_queue = [("online", "online"), ("available", "available"), ("alerting", "alerting"), ("on contact", "on_contact"), ("ACW", "acw")]
    queue_queries = [q(f"max by ({QUEUE}) (queuepulse_agents_{key}{chosen})", ref=refs[at], table=True) for at, (_, key) in enumerate(by_queue)]
    queue_names = {"client": "client", "queue": "queue", "channel": "channel"} | {f"Value #{refs[at]}": name for at, (name, _) in enumerate(by_queue)}
    return board("queuepulse-agents", "queuepulse: agents and occupancy", "Of one client or of all; each agent counted once, whatever queues and clients it serves.", [
        (5, [
            (4, stat("Online", "Presence is not offline.", state("online"), "none")),
            (4, stat("Available", "No contact at all, and responding.", state("available"), "none", [(None, BAD), (1, GOOD)])),
            (4, stat("On contact", "At least one contact connected or held.", state("on_contact"), "none")),
            (4, stat("ACW", "After-contact work only.", state("acw"), "none")),
            (4, stat("In aux", "Of any reason; may overlap with on contact.", f"sum({aux}) or vector(0)", "none")),
            (4, stat("Not responding", "Let a contact ring, and get none until they say that they are there.", state("not_responding"), "none", [(None, CALM), (1, WARN)])),
        ]),
        (9, [
            (12, lines("Agents by activity", "Available, alerting, on contact, ACW, not responding: an agent is in one of them, or idle in aux.",
                       [q(state(key), name, ref) for ref, key, name in (("A", "available", "available"), ("B", "alerting", "alerting"), ("C", "on_contact", "on contact"), ("D", "acw", "ACW"), ("E", "not_responding", "not responding"))], "none", stack=True)),
            (12, lines("Aux by reason", "Agents in aux now.", [q(aux, "{{reason}}")], "none", stack=True)),
        ]),
        (9, [
            (12, lines("Occupancy, 30 min", "Busy / (busy + available) by client. Alerts at 90 %, clears below 85 %.", [q(occupancy("30m"), "{{client}}")], "percentunit", low=None, high=1, levels=heat)),
            (12, lines("Occupancy, 5 min", "The same, of the last five minutes.", [q(occupancy("5m"), "{{client}}")], "percentunit", low=None, high=1, levels=heat)),
        ]),
        (8, [
            (10, table("Clients", "Agents of each client, counted once. One who serves several clients stands in the row of each, so that this column must not be added up.", queries, names, "occupancy 30m", [colored("occupancy 30m", "percentunit", heat, 0)], descending=True)),
            (14, table("Members by queue", "An agent stands in the row of each of its queues, so that this column must not be added up.", queue_queries, queue_names, "available", [to_queue("queue"), colored("available", "none", [(None, BAD), (1, CALM)])])),
        ]),
    ], [SOURCE, variable("client", "Client", "label_values(queuepulse_queue_info, client)", several=False)], since="now-3h")


def intraday():
    chosen = f'{{{PICK}}}'
    window = lambda span: f'{{{PICK}, window="{span}"}}'
    grouped = f'* on ({QUEUE}) group_left () max by ({QUEUE}) (queuepulse_queue_info{{group=~"$group"}})'
    total = lambda metric, span: f"sum(queuepulse_window_{metric}{window(span)} {grouped})"
    level = lambda span: f"{total('service_level_met', span)} / ({total('service_level_met', span)} + {total('service_level_missed', span)} > 0)"
    missed = lambda span: f"{total('service_level_missed', span)} / ({total('service_level_met', span)} + {total('service_level_missed', span)} > 0)"
    burn = (f'max by ({QUEUE}) ((1 - queuepulse_window_service_level_ratio{window("30m")}) / ignoring (window) (1 - queuepulse_service_level_target_ratio{chosen} > 0))'
            f' and on ({QUEUE}) queuepulse_queue_info{{group=~"$group"}}')
    halves = {"interval": "30m", "maxDataPoints": 100}
    exact = "Windows of 30 minutes read at each half hour: exactly what each interval held."
    return board("queuepulse-intraday", "queuepulse: intraday", "The day by half hours.", [
        (5, [
            (5, stat("Service level today", "Since midnight in each queue's own zone.", level("today"), "percentunit", decimals=1)),
            (5, stat("Offered today", "Visits begun since midnight.", total("offered", "today"), "none")),
            (5, stat("Answered today", "Visits answered since midnight.", total("answered", "today"), "none")),
            (5, stat("Abandoned today", "Visits abandoned since midnight, short ones included.", total("abandoned", "today"), "none")),
            (4, stat("Missed today", "Share of contacts that missed the threshold.", missed("today"), "percentunit", decimals=1)),
        ]),
        (11, [(24, states("Error budget by half hour", "1 is the target: how many times more contacts missed the threshold than it allows. 2 is a warning, 3 critical. " + exact,
                          [q(burn, "{{client}}/{{queue}} {{channel}}")], [(None, GOOD), (1, "light-orange"), (2, WARN), (3, BAD)], "none", **halves))]),
        (9, [
            (12, lines("Service level by half hour", exact, [q(level("30m"), "service level")], "percentunit", high=1, bars=True, **halves)),
            (12, lines("Contacts by half hour", exact, [q(total("answered", "30m"), "answered", "A"), q(total("abandoned", "30m"), "abandoned", "B"), q(total("offered", "30m"), "offered", "C")],
                       "none", stack=True, bars=True, overrides=[override("offered", custom__stacking={"mode": "none", "group": "B"}, custom__fillOpacity=0, custom__drawStyle="line")], **halves)),
        ]),
        (9, [
            (12, lines("Speed of answer by half hour", exact + " Wait of the answered / answered.", [q(f"{total('answered_wait_seconds', '30m')} / ({total('answered', '30m')} > 0)", "speed of answer")], "s", bars=True, **halves)),
            (12, lines("Occupancy by half hour", exact + " Each agent once, by client.", [q('client:queuepulse_occupancy:ratio{client=~"$client", window="30m"}', "{{client}}")], "percentunit", high=1, **halves)),
        ]),
    ], of_queues(), refresh="1m", since="now/d")


def engine():
    rate = lambda name, by: f"sum by ({by}) (rate({name}[$__rate_interval]))"
    alerts = 'max by (alertname, severity, instance, topic, reason) (ALERTS{alertstate="firing", scope="engine", severity!="none"})'
    return board("queuepulse-engine", "queuepulse: engine", "Whether the figures can be relied on, and what they cost.", [
        (5, [
            (3, AGE),
            (3, stat("Instances up", "That Prometheus can scrape.", 'sum(up{job="queuepulse"})', "none", [(None, BAD), (1, GOOD)], spark=False)),
            (3, stat("Catching up", "Instances that read their partitions back; their queues have no figures meanwhile.", "sum(queuepulse_catching_up)", "none", [(None, GOOD), (1, WARN)], spark=False)),
            (3, stat("Lag", "Records in the log that are not applied yet.", "sum(topic:queuepulse_lag_records:sum)", "none", [(None, CALM), (1000, WARN)])),
            (3, stat("Records a second", "Read from Kafka.", "sum(topic:queuepulse_records:rate1m)", "none", decimals=0)),
            (3, stat("Queues", "That the engine knows.", "max(queuepulse_queues)", "none", spark=False)),
            (3, stat("Memory", "Resident, of all instances.", "sum(queuepulse_resident_memory_bytes)", "bytes", decimals=0)),
            (3, stat("Stale rows", "Live rows of instances that have been silent for too long: above 0 the centre cannot be added up.", "max(queuepulse_rows_stale)", "none", [(None, GOOD), (1, BAD)], spark=False)),
        ]),
        (8, [
            (8, lines("Age of the figures", "By instance. A quiet night is not stale.", [q("max by (instance) (queuepulse_data_age_seconds)", "{{instance}}")], "s")),
            (8, lines("Lag by partition", "Records not applied yet.", [q("sum by (topic, partition) (queuepulse_lag_records)", "{{topic}}/{{partition}}")], "none")),
            (8, lines("Records a second", "By topic.", [q("topic:queuepulse_records:rate1m", "{{topic}}")], "none", stack=True)),
        ]),
        (8, [
            (8, lines("Discarded records", "A second, by reason: what changed no figure. Duplicates are harmless.", [q(rate("queuepulse_discarded_total", "reason") + " > 0", "{{reason}}")], "none", bars=True)),
            (8, lines("Odd events", "A second, by reason: counted, but late, contradictory or without effect.", [q(rate("queuepulse_irregular_total", "reason") + " > 0", "{{reason}}")], "none", bars=True)),
            (8, lines("Corrections", "Taken back from counters by later events, a second, by figure. None is the normal case.", [q(rate("queuepulse_corrections_total", "figure") + " > 0", "{{figure}}")], "none", bars=True)),
        ]),
        (8, [
            (8, lines("Silence of the sources", "Since the timestamp of a topic's last record.", [q("max by (topic) (queuepulse_source_silence_seconds)", "{{topic}}")], "s")),
            (8, lines("Age of the poll loop", "Beyond the session timeout (10 s by default) an instance shows nothing.", [q("max by (instance) (queuepulse_poll_age_seconds)", "{{instance}}")], "s")),
            (8, lines("Contact feed less agent feed", "Contacts connected or held, by client. Far from 0 for long: one feed loses events.", [q("max by (client) (queuepulse_client_agent_contact_mismatch)", "{{client}}")], "none", low=None)),
        ]),
        (8, [
            (8, lines("Partitions read", "By instance and topic.", [q("sum by (instance, topic) (queuepulse_partitions)", "{{instance}} {{topic}}")], "none", stack=True)),
            (8, lines("Cost of a scrape", "How long Prometheus needed for it.", [q('max by (instance) (scrape_duration_seconds{job="queuepulse"})', "{{instance}}")], "s")),
            (8, lines("Samples of a scrape", "At most 80 a queue by default.", [q('max by (instance) (scrape_samples_scraped{job="queuepulse"})', "{{instance}}")], "none")),
        ]),
        (8, [
            (8, lines("Snapshots", "Written and failed in five minutes, found and not used at an assignment.",
                      [q("sum(increase(queuepulse_snapshots_written_total[5m]))", "written", "A"), q("sum(increase(queuepulse_snapshots_failed_total[5m]))", "failed", "B"),
                       q("sum by (reason) (increase(queuepulse_snapshots_refused_total[5m])) > 0", "refused: {{reason}}", "C")], "none")),
            (8, lines("Time of a snapshot and of a restore", "Of the last one, by instance.",
                      [q("max by (instance) (queuepulse_snapshot_seconds)", "{{instance}} snapshot", "A"), q("max by (instance) (queuepulse_restore_seconds)", "{{instance}} restore", "B")], "s")),
            (8, lines("Lease and losses", "1 while an instance may show its partitions; records deleted before they were read, in five minutes.",
                      [q("min by (instance) (queuepulse_lease)", "{{instance}} lease", "A"), q("sum by (topic) (increase(queuepulse_gap_records_total[5m])) > 0", "{{topic}} lost", "B")], "none")),
        ]),
        (8, [
            (8, lines("Silence of the brokers", "Since any broker last answered an instance or viewer, which asks every two seconds.", [q("max by (instance) (queuepulse_broker_silence_seconds)", "{{instance}}")], "s")),
            (8, lines("Streams ahead of the clock", "How far a topic's newest event lies in the future: above 0 for long, facts of now count as late.", [q("max by (instance, topic) (queuepulse_stream_ahead_seconds)", "{{instance}} {{topic}}")], "s")),
            (8, lines("Rows that cannot be read", "In five minutes, by instance: rows of another version, or damaged.", [q("sum by (instance) (increase(queuepulse_rows_unreadable_total[5m]))", "{{instance}}")], "none", bars=True)),
        ]),
        (8, [
            (16, table("Alerts of the engine", "What fires now.", [q(alerts, table=True)], {"severity": "severity", "alertname": "alert", "instance": "instance", "topic": "topic", "reason": "reason"}, "severity", hide=("Value",))),
            (8, table("Versions", "By instance.", [q("max by (instance, version) (queuepulse_build_info)", table=True)], {"instance": "instance", "version": "version"}, "instance", hide=("Value",))),
        ]),
    ], [SOURCE], since="now-3h")


def main():
    arguments = argparse.ArgumentParser(description="Writes the Grafana dashboards.")
    arguments.add_argument("folder", nargs="?", type=pathlib.Path, default=HERE / "dashboards", help="where to; another than dashboards/ to compare")
    folder = arguments.parse_args().folder
    folder.mkdir(exist_ok=True)
    for name, made in (("floor", floor()), ("queue", queue()), ("agents", agents()), ("intraday", intraday()), ("engine", engine())):
        (folder / f"{name}.json").write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
