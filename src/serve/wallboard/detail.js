// One queue's page: now, every figure over every window, agents by state, the last hour.

import { Agents } from "./agents.js";
import { LEVELS, NONE, agentsOf, auxOf, clock, levelOf, nameOf, namesOf, percent, shown, sourceOf, tenths, whole, windowKey } from "./figures.js";
import { hour } from "./plot.js";
import { named } from "./queue.js";

const EVERY = 2000;

const NOW = [
  ["Waiting", (now) => whole(now.waiting)], ["Past threshold", (now) => whole(now.waiting_past_threshold)],
  ["Oldest wait", (now) => clock(now.longest_wait_seconds)], ["Expected wait", (now) => clock(now.expected_wait_seconds)],
  ["Available", (now) => whole(now.agents_available)], ["Alerting", (now) => whole(now.agents_alerting)],
  ["On contact", (now) => whole(now.agents_on_contact)], ["ACW", (now) => whole(now.agents_acw)],
  ["Not responding", (now) => whole(now.agents_not_responding)], ["Online", (now) => whole(now.agents_online)],
  ["Aux", (now) => (now.agents_aux ? whole(auxOf(now)) : NONE)],
];

const PLAIN = (window, key) => whole(window[key]);
const TIME = (window, key) => clock(window[key]);
const SHARE = (window, key) => tenths(window[key]);
/** Heading, key, how it is written. */
const ROWS = [
  ["Service level", "service_level_ratio", SHARE], ["Met", "service_level_met", PLAIN], ["Missed", "service_level_missed", PLAIN],
  ["Offered", "offered", PLAIN], ["Answered", "answered", PLAIN], ["Answered within threshold", "answered_within_threshold", PLAIN],
  ["Abandoned", "abandoned", PLAIN], ["Abandoned within threshold", "abandoned_within_threshold", PLAIN], ["Short abandons", "short_abandoned", PLAIN],
  ["Abandonment", "abandonment_ratio", SHARE], ["Callbacks requested", "callbacks_requested", PLAIN],
  ["Transferred", "transferred", PLAIN], ["Alerts not answered", "alert_failed", PLAIN], ["Handled", "handled", PLAIN],
  ["Speed of answer (ASA)", "answer_speed_average_seconds", TIME], ["Time to abandon", "abandon_time_average_seconds", TIME],
  ["Wait, half below", "wait_seconds_p50", TIME], ["Wait, 90 % below", "wait_seconds_p90", TIME], ["Wait, 95 % below", "wait_seconds_p95", TIME],
  ["Wait, 99 % below", "wait_seconds_p99", TIME], ["Longest wait", "wait_seconds_max", TIME],
  ["Handle time (AHT)", "handle_time_average_seconds", TIME], ["Handle, half below", "handle_seconds_p50", TIME], ["Handle, 90 % below", "handle_seconds_p90", TIME],
  ["Handle, 95 % below", "handle_seconds_p95", TIME], ["Handle, 99 % below", "handle_seconds_p99", TIME],
  ["Occupancy", "occupancy_ratio", SHARE], ["Slot load", "slot_load_ratio", SHARE],
  ["Contacts of a busy agent", "concurrency_average", (window, key) => (window[key] === null || window[key] === undefined ? "–" : window[key].toFixed(2))],
  ["Complaints", "complained", PLAIN], ["Rated", "rated", PLAIN], ["Resolved", "resolved", PLAIN],
];

function make(name, text, parent, className) {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  if (className) made.className = className;
  parent?.append(made);
  return made;
}

function box(heading, text) {
  const made = make("div", null, null);
  make("dt", heading, made);
  make("dd", text, made);
  return made;
}

/** What an address answers; nothing if it cannot be reached. */
async function read(address) {
  try {
    const answer = await fetch(address);
    const body = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
    return { ok: answer.ok, body };
  } catch {
    return null;
  }
}

export class Detail {
  constructor(section) {
    this.section = section;
    /** Whether the engine lists agents; its stream says so. */
    this.lists = false;
  }

  /** Shows a queue until closed, judged over `window`; `back` is where its list is. Of an open one it changes these. */
  open(key, back, window) {
    const open = this.key === key;
    if (!open) this.close();
    this.key = key;
    this.window = window;
    this.way ??= make("a", "← all queues", null, "back");
    this.way.href = back;
    if (open) return this.answer ? this.show(...this.answer) : undefined;
    this.parts = null;
    const [client, queue, channel] = namesOf(key);
    this.call(queue, client, channel);
    this.section.hidden = false;
    this.section.setAttribute("aria-label", "One queue");
    this.section.replaceChildren(this.way, make("p", "reading …", null));
    this.ask();
    this.timer = setInterval(() => this.ask(), EVERY);
    return undefined;
  }

  /** Names the document, for tabs and for a screen reader. */
  call(...names) {
    document.title = [...names.filter(Boolean).map(shown), "queuepulse"].join(" · ");
  }

  close() {
    clearInterval(this.timer);
    this.key = null;
    this.answer = null;
    this.call();
    this.section.hidden = true;
    this.section.replaceChildren();
  }

  async ask() {
    const { key } = this;
    const [row, agents] = await Promise.all([read(sourceOf(key)), this.lists ? read(agentsOf(key)) : null]);
    if (key !== this.key || !row) return; // the page says if the connection is lost
    if (row.ok) this.show(row.body, agents);
    else if (!this.parts) this.section.replaceChildren(this.way, make("p", shown(row.body.error), null, "refused"));
  }

  /** What stays while a queue is open, so that the focus and what was scrolled to stay too. */
  places() {
    const parts = {
      head: make("div", null, null, "head"), now: make("dl", null, null, "totals"), agents: new Agents(),
      hour: make("div", null, null), scroller: make("div", null, null, "scroller"),
    };
    parts.scroller.tabIndex = 0;
    parts.scroller.setAttribute("role", "region");
    parts.scroller.setAttribute("aria-label", "Figures over each window");
    this.section.replaceChildren(this.way, parts.head, parts.now, parts.agents.section, parts.hour, parts.scroller);
    return parts;
  }

  show(row, agents) {
    this.answer = [row, agents];
    this.parts ??= this.places();
    this.call(nameOf(row), row.client_id, row.channel);
    const { head, now, hour: last, scroller } = this.parts;
    const level = LEVELS[levelOf(row, this.window)];
    head.dataset.level = level.name;
    head.replaceChildren(this.heading(row, level), this.about(row, level));
    now.replaceChildren(...NOW.map(([heading, text]) => box(heading, text(row.now))));
    for (const [reason, n] of Object.entries(row.now.agents_aux ?? {})) now.append(box(`Aux: ${shown(reason)}`, whole(n)));
    this.parts.agents.show(agents);
    last.replaceChildren(row.last_hour ? this.hour(row) : make("p", `No last hour by the minute: ${row.last_hour_absent}.`, null, "refused"));
    scroller.replaceChildren(this.table(row));
  }

  heading(row, level) {
    const heading = make("h2", `${level.mark} `, null);
    named(heading, [nameOf(row)]);
    return heading;
  }

  about(row, level) {
    const { settings } = row;
    const about = make("p", null, null);
    named(about, [row.client_id, row.queue_id, row.channel, ...(settings.group ? [settings.group] : [])]);
    about.append(` · ${level.name} over ${windowKey(row, this.window)}. Target ${percent(settings.service_level_target_ratio)} within ${clock(settings.threshold_seconds)}, variant ${settings.service_level_variant}.`);
    return about;
  }

  hour(row) {
    const figure = make("figure", null, null);
    figure.append(hour(row.last_hour, row.settings.service_level_target_ratio));
    make("figcaption", "Last hour by the minute: answered (solid) and abandoned (striped on top), service level over five minutes (line) and its target (dashed).", figure);
    return figure;
  }

  table(row) {
    const table = make("table", null, null);
    make("caption", "Every figure over every window", table);
    const head = make("tr", null, make("thead", null, table));
    make("th", "", head).scope = "col";
    head.firstChild.textContent = "Figure";
    const windows = Object.entries(row.windows);
    const chosen = (name) => (name === windowKey(row, this.window) ? "chosen" : "");
    for (const [name, window] of windows) {
      const th = make("th", window.complete ? name : `${name} *`, head, chosen(name));
      th.scope = "col";
      if (!window.complete) th.title = "reaches back further than what has been read";
    }
    const body = make("tbody", null, table);
    for (const [heading, key, text] of ROWS) {
      const tr = make("tr", null, body);
      make("th", heading, tr).scope = "row";
      for (const [name, window] of windows) make("td", text(window, key), tr, chosen(name));
    }
    for (const outcome of Object.keys(windows[0]?.[1].flowed_out ?? {})) {
      const tr = make("tr", null, body);
      make("th", `Flowed out: ${outcome.replaceAll("_", " ")}`, tr).scope = "row";
      for (const [name, window] of windows) make("td", whole(window.flowed_out[outcome]), tr, chosen(name));
    }
    return table;
  }
}
