// The wallboard. The stream brings a snapshot, the URL says what of it is shown, the list shows it.

import { Detail } from "./detail.js";
import { LEVELS, WINDOW, emptiness, keyOf, levelOf, matches, normal, order, serviceLevel, shown, sumOf } from "./figures.js";
import { Hours } from "./hours.js";
import { List } from "./list.js";
import { HEADS, Totals, filled, made } from "./queue.js";
import { Stream } from "./stream.js";
import { address, misread, read } from "./view.js";

/** Positions stay this long, so that nobody reads a row that has just become another. */
const SORT_EVERY = 10_000;
/** Trends look this far back. */
const BEFORE = 60_000;
const ROW = { height: 48 };
const TILE = { height: 228, width: 270 };
/** A tile of a wall is at least this tall: what is smaller cannot be read from across a room. */
const TALL = 190;

const byId = (id) => document.getElementById(id);
const named = (name) => document.querySelector(`[name="${name}"]`);

let view = read();
let snapshot = null;
let sorted = [];
let sortedAt = 0;
let page = 0;
let notices = [];
let version = null;
/** Service level by queue: of now, and of a minute ago. */
let marked = { at: 0, levels: new Map() };
let before = new Map();
let alarmed = null;
/** The queue that has the page, and whether the keyboard was used last. */
let opened = view.queue;
let byKeys = false;

const hours = new Hours(() => list.ask());
const totals = new Totals(byId("totals"));
const detail = new Detail(byId("detail"));
const list = new List(byId("queues"), {
  role: "list",
  made,
  key: keyOf,
  filled: (node, row) => {
    const key = keyOf(row);
    filled(node, row, { href: address({ ...view, wall: "", queue: key }), before: before.get(key), minutes: hours.of(key) });
  },
});

for (const head of HEADS) {
  const made = document.createElement("span");
  made.textContent = head;
  byId("heads").append(made);
}

// ---- what is shown

/** Changes the view; the URL follows. `step` leaves the old one in the history. */
function change(part, step = false) {
  view = { ...view, ...part };
  history[step ? "pushState" : "replaceState"](null, "", address(view));
  sortedAt = 0;
  page = 0;
  apply();
}

/** Brings the page in line with the view. */
function apply() {
  const root = document.documentElement;
  if (view.theme) root.dataset.theme = view.theme;
  else delete root.dataset.theme;
  const wall = view.wall !== "" && !view.queue;
  document.body.classList.toggle("wall", wall);
  document.body.classList.toggle("tiles", wall || view.view === "tiles");
  for (const name of ["client", "group", "channel", "find", "view", "theme"]) if (document.activeElement !== named(name)) named(name).value = view[name];
  named("sound").checked = view.sound !== "";
  byId("overview").hidden = view.queue !== "";
  byId("skip").textContent = view.queue ? "Skip to the queue" : "Skip to the queues";
  byId("skip").href = view.queue ? "#detail" : "#queues";
  if (view.queue) detail.open(view.queue, address({ ...view, queue: "" }), view.window);
  else detail.close();
  fit();
  show();
  follow();
}

/** The focus goes into a queue that is opened; by keyboard it comes back to its row, where it would hold the order. */
function follow() {
  const from = opened;
  opened = view.queue;
  if (opened === from) return;
  if (opened) byId("detail").focus({ preventScroll: true });
  else if (byKeys) list.go(Math.max(0, list.items.findIndex((row) => keyOf(row) === normal(from))));
}

/** Sizes of rows and tiles; on a wall tiles fill the screen. */
function fit() {
  const box = byId("queues");
  if (!document.body.classList.contains("tiles")) return list.shape(ROW);
  if (!document.body.classList.contains("wall")) return list.shape(TILE);
  const { width, height } = grid(sorted.length, box.clientWidth, box.clientHeight);
  document.documentElement.style.setProperty("--tile", `${Math.min(width / TILE.width, height / TILE.height)}`);
  return list.shape({ width, height });
}

/** The largest tiles of which as many fit as are needed; where they do not fit, as many as a page can hold. */
function grid(count, width, height) {
  const most = Math.max(1, Math.floor(height / TALL));
  for (let lines = 1; ; lines += 1) {
    const columns = Math.max(1, Math.floor(width / ((height / lines) * (TILE.width / TILE.height))));
    if (lines * columns >= count || lines === most) {
      const used = Math.max(1, Math.min(lines, Math.ceil(count / columns)));
      return { width: width / columns, height: height / used, each: used * columns };
    }
  }
}

function show() {
  if (!snapshot || view.queue) return;
  const rows = snapshot.queues.filter((row) => matches(row, view));
  const sum = sumOf(snapshot, view, rows);
  totals.show(sum);
  byId("totals").setAttribute("aria-label", `Sum of ${sum.title}`);
  const told = `Sum of ${sum.title}. ${sum.why ?? ""}`;
  byId("sum").hidden = rows.length === 0 || sum.title === "all queues";
  if (byId("sum").textContent !== told) byId("sum").textContent = told;
  const none = byId("none");
  none.hidden = rows.length > 0;
  none.textContent = emptiness(snapshot, view, rows);
  arrange(rows);
  const wall = document.body.classList.contains("wall");
  let some = sorted;
  let pages = 1;
  if (wall) {
    const box = byId("queues");
    const { each } = grid(sorted.length, box.clientWidth, box.clientHeight);
    pages = Math.max(1, Math.ceil(sorted.length / each));
    page %= pages;
    some = sorted.slice(page * each, (page + 1) * each);
    box.scrollTop = 0;
  }
  list.show(some);
  note(rows, pages);
}

/** New figures in the old order; a new order when it is due and nobody is in the list with the keyboard. */
function arrange(rows) {
  const now = Date.now();
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  const kept = sorted.map((row) => byKey.get(keyOf(row))).filter(Boolean);
  const inside = byId("queues").contains(document.activeElement) && document.activeElement !== byId("queues");
  const due = now - sortedAt >= SORT_EVERY && !inside;
  if (due || kept.length !== rows.length) {
    const count = sorted.length;
    sorted = order(rows);
    sortedAt = now;
    if (count !== sorted.length) fit();
  } else {
    sorted = kept;
  }
}

function note(rows, pages) {
  const counts = new Map();
  for (const row of rows) counts.set(levelOf(row), (counts.get(levelOf(row)) ?? 0) + 1);
  const words = LEVELS.map(({ name, mark }, at) => (counts.has(at) ? `${mark}\u00A0${counts.get(at)}\u00A0${name}` : "")).filter(Boolean).join("   ");
  const window = Object.values(snapshot.total.windows)[0] ?? {};
  const part = window.complete === false ? " This window reaches back further than what has been read: its figures are not complete." : "";
  const leaf = pages > 1 ? ` Page ${page + 1} of ${pages}.` : "";
  byId("note").textContent = `${rows.length} of ${snapshot.queues.length} queues as of ${new Date(snapshot.at).toLocaleTimeString()}.${leaf} ${words}${part}`;
}

// ---- what comes in

function took(next) {
  snapshot = next;
  remember();
  choices();
  alarm();
  show();
}

/** Keeps the service levels of a minute ago for the trends. */
function remember() {
  const now = Date.now();
  if (now - marked.at < BEFORE) return;
  before = marked.levels;
  marked = { at: now, levels: new Map(snapshot.queues.map((row) => [keyOf(row), serviceLevel(row)])) };
}

/** What can be chosen, from what there is. */
function choices() {
  const options = {
    client: snapshot.clients.map((row) => row.client_id),
    group: snapshot.groups.map((row) => row.group),
    channel: snapshot.channels.map((row) => row.channel),
  };
  for (const [name, values] of Object.entries(options)) {
    const select = named(name);
    const known = values.includes(view[name]) || !view[name] ? values : [...values, view[name]];
    if (select.options.length === known.length + 1) continue;
    select.replaceChildren(new Option("all", ""), ...known.map((value) => new Option(shown(value), value)));
    select.value = view[name];
  }
}

/** A tone when a queue becomes critical; silent unless it is switched on. */
function alarm() {
  const critical = new Set(snapshot.queues.filter((row) => matches(row, view) && levelOf(row) === 0).map(keyOf));
  const fresh = alarmed && [...critical].some((key) => !alarmed.has(key));
  alarmed = critical;
  if (fresh && view.sound) beep();
}

function beep() {
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = 660;
  volume.gain.setValueAtTime(0.15, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.6);
  tone.onended = () => audio.close();
}

function greet(hello) {
  if (version && version !== hello.version) location.reload();
  version = hello.version;
  const select = named("window");
  select.replaceChildren(...hello.windows.map((key) => new Option(key, key)));
  select.value = hello.window;
  hours.window = hello.window;
  detail.lists = hello.lists_agents === true;
  if (view.window !== hello.window && view.window) {
    tell([...notices, `There is no window "${shown(view.window.slice(0, 40))}"; there are ${hello.windows.map(shown).join(", ")}. Shown is ${hello.window}.`]);
    change({ window: hello.window });
  }
}

/** What of the address could not be shown. */
function tell(texts) {
  notices = texts;
  byId("notice").textContent = texts.join(" ");
  byId("notice").hidden = texts.length === 0;
}

/** How the connection and the figures are; what is old is told loudly and shown faintly. */
function condition({ kind, text, quietSince = null }) {
  const state = byId("state");
  const trouble = byId("trouble");
  const bad = kind === "lost" || kind === "late";
  state.className = kind;
  const brief = bad ? { lost: "⚠ no connection", late: "⚠ not live" }[kind] : text;
  if (state.firstChild?.nodeValue !== brief) state.textContent = brief;
  trouble.hidden = !bad;
  if (bad && trouble.textContent !== `⚠ ${text}`) trouble.textContent = `⚠ ${text}`;
  document.body.classList.toggle("stale", bad);
  quiet(quietSince);
}

/** Says since when no event has come. The words stay while the bar does, so that a screen reader says them once. */
function quiet(since) {
  const bar = byId("quiet");
  if (bar.hidden === (since === null)) return;
  bar.hidden = since === null;
  bar.textContent = since === null ? "" : `◇ No event has come since ${timeOf(since)}: figures are still computed, but nobody reports. Waits go on growing and agents stand still until an event comes.`;
}

/** The time of day; the date before it if that is not today's. */
function timeOf(at) {
  const [then, today] = [new Date(at), new Date()];
  return then.toDateString() === today.toDateString() ? then.toLocaleTimeString() : then.toLocaleString();
}

const stream = new Stream({ hello: greet, figures: took, absent: () => {}, state: condition });

// ---- what people do

for (const name of ["client", "group", "channel", "view", "theme"]) {
  named(name).addEventListener("change", (event) => {
    tell([]);
    change({ [name]: event.target.value });
  });
}
named("find").addEventListener("input", (event) => change({ find: event.target.value }));
named("sound").addEventListener("change", (event) => {
  change({ sound: event.target.checked ? "1" : "" });
  if (event.target.checked) beep();
});
named("window").addEventListener("change", (event) => {
  tell([]);
  change({ window: event.target.value });
  stream.open(event.target.value);
});
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("wall").addEventListener("click", () => {
  document.documentElement.requestFullscreen?.().catch(() => {});
  change({ wall: "1" }, true);
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href^='/?'], a[href='/']");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  history.pushState(null, "", link.getAttribute("href"));
  arrived();
});
addEventListener("popstate", () => arrived());
new ResizeObserver(() => fit()).observe(byId("queues"));
addEventListener("pointerdown", () => { byKeys = false; }, { capture: true });
addEventListener("keydown", () => { byKeys = true; }, { capture: true });
addEventListener("keydown", (event) => {
  const typing = event.target.matches?.("input, select");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    named("find").focus();
  } else if (event.key === "Escape" && view.queue) {
    change({ queue: "" }, true);
  } else if (event.key === "Escape" && view.wall) {
    change({ wall: "" }, true);
  }
});

function arrived() {
  const window = view.window;
  view = read();
  tell(misread(location.search));
  sortedAt = 0;
  apply();
  if (view.window !== window) stream.open(view.window || WINDOW);
}

setInterval(() => {
  if (!document.body.classList.contains("wall")) return;
  page += 1;
  show();
}, Math.max(3, Number(view.rotate) || 15) * 1000);

tell(misread(location.search));
apply();
stream.open(view.window || WINDOW);
