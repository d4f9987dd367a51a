// One queue's page: now, every figure over every window, agents by state, the last hour.

import { LEVELS, clock, levelOf, nameOf, percent, sourceOf, tenths, whole, windowOf } from "./figures.js";
import { hour } from "./plot.js";
import { named } from "./queue.js";

const EVERY = 2000;

const NOW = [
  ["Waiting", (now) => whole(now.waiting)], ["Past threshold", (now) => whole(now.waiting_past_threshold)],
  ["Oldest wait", (now) => clock(now.longest_wait_seconds)], ["Expected wait", (now) => clock(now.expected_wait_seconds)],
  ["Available", (now) => whole(now.agents_available)], ["Alerting", (now) => whole(now.agents_alerting)],
  ["On contact", (now) => whole(now.agents_on_contact)], ["ACW", (now) => whole(now.agents_acw)],
  ["Not responding", (now) => whole(now.agents_not_responding)], ["Online", (now) => whole(now.agents_online)],
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

export class Detail {
  constructor(section) {
    this.section = section;
  }

  /** Shows a queue until closed; `back` is where its list is. */
  open(key, back, window) {
    if (this.key === key) return;
    this.close();
    this.key = key;
    this.back = back;
    this.window = window;
    this.section.hidden = false;
    this.section.setAttribute("aria-label", "One queue");
    this.section.replaceChildren(this.way(), make("p", "reading …", null));
    this.ask();
    this.timer = setInterval(() => this.ask(), EVERY);
  }

  close() {
    clearInterval(this.timer);
    this.key = null;
    this.section.hidden = true;
    this.section.replaceChildren();
  }

  way() {
    const link = make("a", "← all queues", null, "back");
    link.href = this.back;
    return link;
  }

  async ask() {
    const { key } = this;
    let answer;
    try {
      answer = await fetch(sourceOf(key));
    } catch {
      return; // the page says that the connection is lost
    }
    if (key !== this.key) return;
    const body = await answer.json().catch(() => ({ error: `status ${answer.status}` }));
    if (answer.ok) this.show(body);
    else if (!this.section.querySelector("table")) this.section.replaceChildren(this.way(), make("p", body.error, null, "refused"));
  }

  show(row) {
    const level = LEVELS[levelOf({ ...row, windows: { chosen: row.windows[this.window] ?? windowOf(row) } })];
    const head = make("div", null, null, "head");
    head.dataset.level = level.name;
    named(make("h2", `${level.mark} `, head), [nameOf(row)]);
    const settings = row.settings;
    const about = make("p", null, head);
    named(about, [row.client_id, row.queue_id, row.channel, ...(settings.group ? [settings.group] : [])]);
    about.append(` · ${level.name}. Target ${percent(settings.service_level_target_ratio)} within ${clock(settings.threshold_seconds)}, variant ${settings.service_level_variant}.`);
    const now = make("dl", null, null, "totals");
    for (const [heading, text] of NOW) {
      const box = make("div", null, now);
      make("dt", heading, box);
      make("dd", text(row.now), box);
    }
    for (const [reason, n] of Object.entries(row.now.agents_aux ?? {})) {
      const box = make("div", null, now);
      make("dt", `Aux: ${reason}`, box);
      make("dd", whole(n), box);
    }
    const kept = document.activeElement?.closest?.(".scroller") ? this.section.querySelector(".scroller") : null;
    const scroller = kept ?? make("div", null, null, "scroller");
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", "Figures over each window");
    scroller.replaceChildren(this.table(row));
    const parts = [this.section.querySelector(".back") ?? this.way(), head, now];
    parts.push(row.last_hour ? this.hour(row) : make("p", `No last hour by the minute: ${row.last_hour_absent}.`, null, "refused"));
    parts.push(scroller);
    // The link and the scroller stay where they are, so that the focus stays in them.
    if (this.section.children.length !== parts.length || kept !== this.section.lastChild) this.section.replaceChildren(...parts);
    else parts.forEach((part, at) => { if (part !== this.section.children[at]) this.section.children[at].replaceWith(part); });
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
    for (const [name, window] of windows) {
      const th = make("th", window.complete ? name : `${name} *`, head);
      th.scope = "col";
      if (!window.complete) th.title = "reaches back further than what has been read";
    }
    const body = make("tbody", null, table);
    for (const [heading, key, text] of ROWS) {
      const tr = make("tr", null, body);
      make("th", heading, tr).scope = "row";
      for (const [, window] of windows) make("td", text(window, key), tr);
    }
    for (const outcome of Object.keys(windows[0]?.[1].flowed_out ?? {})) {
      const tr = make("tr", null, body);
      make("th", `Flowed out: ${outcome.replaceAll("_", " ")}`, tr).scope = "row";
      for (const [, window] of windows) make("td", whole(window.flowed_out[outcome]), tr);
    }
    return table;
  }
}
