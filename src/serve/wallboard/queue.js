// One queue as a row or a tile: the same parts, laid out by the style sheet.

import { ENOUGH, LEVELS, NONE, auxOf, clock, keyOf, levelOf, nameOf, percent, serviceLevel, shown, tenths, trend, whole, windowOf } from "./figures.js";
import { spark } from "./plot.js";

const late = (row) => (row.now.longest_wait_seconds ?? 0) > row.settings.threshold_seconds;
const NO_BREAK = "\u00A0";
/** Agents in aux by reason, most first; a count stays with its reason. */
const reasons = (now) => Object.entries(now.agents_aux ?? {}).sort(([, a], [, b]) => b - a).map(([reason, n]) => `${shown(reason)}${NO_BREAK}${n}`).join(", ");

/** key, heading, what it says of a row, whether that is bad, and more in the tip. */
const PARTS = [
  ["waiting", "Waiting", (row) => whole(row.now.waiting), (row) => row.now.waiting_past_threshold > 0, (row) => `${whole(row.now.waiting_past_threshold)} past ${clock(row.settings.threshold_seconds)}`],
  ["oldest", "Oldest", (row) => clock(row.now.longest_wait_seconds), late],
  ["expected", "Expected", (row) => clock(row.now.expected_wait_seconds), () => false, () => "wait of one more arrival"],
  ["available", "Available", (row) => whole(row.now.agents_available), (row) => row.now.waiting_past_threshold > 0 && row.now.agents_available === 0],
  ["contact", "On contact", (row) => whole(row.now.agents_on_contact), () => false],
  ["acw", "ACW", (row) => whole(row.now.agents_acw), () => false],
  ["aux", "Aux", (row) => (row.now.agents_aux ? whole(auxOf(row.now)) : NONE), () => false],
  ["reasons", "by reason", (row) => reasons(row.now), () => false, (row) => reasons(row.now)],
  ["abandoned", "Abandoned", (row) => percent(windowOf(row).abandonment_ratio), (row) => windowOf(row).abandonment_ratio > 0.1 && windowOf(row).abandoned + windowOf(row).answered >= ENOUGH, (row) => `${whole(windowOf(row).abandoned)} of ${whole(windowOf(row).offered)} offered`],
];

export const HEADS = ["", "Queue", "Service level", ...PARTS.map(([, heading]) => heading), "Last hour"];

const SVG = "http://www.w3.org/2000/svg";

/** A span of a class in a node. */
export function part(name, parent) {
  const made = document.createElement("span");
  made.className = name;
  parent.append(made);
  return made;
}

/** Appends names as they are shown, each by itself: letters of another direction of writing turn nothing beside them. */
export function named(node, names) {
  names.forEach((name, at) => {
    const isolated = document.createElement("bdi");
    isolated.textContent = shown(name);
    node.append(...(at ? [" · "] : []), isolated);
  });
}

/** An empty row; `filled` fills it. */
export function made() {
  const item = document.createElement("div");
  item.setAttribute("role", "listitem");
  item.className = "item";
  const link = document.createElement("a");
  item.append(link);
  const spoken = part("spoken", link);
  const seen = part("seen", link);
  seen.setAttribute("aria-hidden", "true");
  const mark = part("mark", seen);
  const name = part("name", seen);
  const title = part("title", name);
  const where = part("where", name);
  const level = part("level", seen);
  const ratio = part("ratio", level);
  const goal = part("goal", level);
  const figures = PARTS.map(([key, heading]) => {
    const box = part(`figure ${key}`, seen);
    box.dataset.head = heading;
    return part("value", box);
  });
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  seen.append(svg);
  item.parts = { link, spoken, mark, title, where, ratio, goal, figures, svg };
  return item;
}

/** Sets a text that has changed. */
export const set = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/** `before` is the service level a minute ago, `minutes` the last hour if it is there. */
export function filled(item, row, { href, before, minutes }) {
  const { parts } = item;
  const level = LEVELS[levelOf(row)];
  const ratio = serviceLevel(row);
  const moved = trend(ratio, before);
  const target = row.settings.service_level_target_ratio;
  if (item.dataset.level !== level.name) item.dataset.level = level.name;
  if (item.dataset.key !== keyOf(row)) {
    item.dataset.key = keyOf(row);
    parts.where.replaceChildren();
    named(parts.where, [row.client_id, row.channel]);
    item.drawn = null;
  }
  if (parts.link.getAttribute("href") !== href) parts.link.setAttribute("href", href);
  set(parts.mark, level.mark);
  set(parts.title, shown(nameOf(row)));
  set(parts.ratio, `${percent(ratio)} ${moved.mark}`);
  set(parts.goal, `of ${percent(target)}`);
  PARTS.forEach(([, , text, bad, more], at) => {
    const node = parts.figures[at];
    set(node, text(row));
    node.parentNode.classList.toggle("bad", Boolean(bad(row)));
    const tip = more?.(row) ?? "";
    if (node.parentNode.title !== tip) node.parentNode.title = tip;
  });
  set(parts.spoken, sentence(row, level, moved));
  if (item.drawn !== minutes) {
    item.drawn = minutes;
    if (minutes) spark(parts.svg, minutes, target, "");
    else parts.svg.replaceChildren();
  }
}

/** All that a row shows, for a screen reader. */
function sentence(row, level, moved) {
  const { now } = row;
  const aux = now.agents_aux && auxOf(now) > 0 ? `${whole(auxOf(now))} in aux: ${reasons(now)}` : `${now.agents_aux ? 0 : NONE} in aux`;
  const wait = now.longest_wait_seconds === null ? "" : `, the oldest for ${clock(now.longest_wait_seconds)}`;
  return `${shown(nameOf(row))}, ${shown(row.client_id)}, ${shown(row.channel)}: ${level.name}. Service level ${percent(serviceLevel(row))} ${moved.word}, target ${percent(row.settings.service_level_target_ratio)}. `
    + `${whole(now.waiting)} waiting${wait}. ${whole(now.agents_available)} agents available, ${whole(now.agents_on_contact)} on contact, ${whole(now.agents_acw)} in ACW, ${aux}. `
    + `Abandonment ${percent(windowOf(row).abandonment_ratio)}, expected wait ${clock(now.expected_wait_seconds)}.`;
}

const TOTALS = [
  ["Service level", (now, window) => percent(window.service_level_ratio)],
  ["Waiting", (now) => whole(now.waiting)],
  ["Past threshold", (now) => whole(now.waiting_past_threshold)],
  ["Oldest wait", (now) => clock(now.longest_wait_seconds)],
  ["Offered", (now, window) => whole(window.offered)],
  ["Abandoned", (now, window) => tenths(window.abandonment_ratio)],
  ["ASA", (now, window) => clock(window.answer_speed_average_seconds)],
  ["Agents online", (now) => whole(now.agents_online)],
  ["Available", (now) => whole(now.agents_available)],
  ["On contact", (now) => whole(now.agents_on_contact)],
  ["ACW", (now) => whole(now.agents_acw)],
  ["Aux", (now) => (now.agents_aux ? whole(auxOf(now)) : NONE), (now) => reasons(now)],
  ["Occupancy", (now, window) => tenths(window.occupancy_ratio)],
];

/** The sum of what is shown: a box for each figure, one with more to say a wider one. */
export class Totals {
  constructor(list) {
    this.nodes = TOTALS.map(([heading, , more]) => {
      const box = document.createElement("div");
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = heading;
      box.append(dt, dd);
      list.append(box);
      if (more) box.className = "wide";
      return { box, value: part("value", dd), more: more && part("more", dd) };
    });
  }

  /** `row.why` says why some figures are not there. */
  show(row) {
    const window = windowOf(row);
    TOTALS.forEach(([, text, more], at) => {
      const node = this.nodes[at];
      set(node.value, text(row.now, window));
      if (more) set(node.more, more(row.now, window));
      const tip = node.value.textContent === NONE ? row.why ?? "" : "";
      if (node.box.title !== tip) node.box.title = tip;
    });
  }
}
