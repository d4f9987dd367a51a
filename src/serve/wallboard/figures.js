// What figures mean and how they are written. Pure: no page, no clock.

export const NONE = "–";

export const whole = (value) => (value === null || value === undefined ? NONE : String(Math.round(value)));
export const percent = (value) => (value === null || value === undefined ? NONE : `${Math.round(value * 100)} %`);
export const tenths = (value) => (value === null || value === undefined ? NONE : `${(value * 100).toFixed(1)} %`);

/** Seconds as 0:07, 12:30, 1:02:03. */
export function clock(value) {
  if (value === null || value === undefined) return NONE;
  const s = Math.round(value);
  const two = (n) => String(n).padStart(2, "0");
  const minutes = `${Math.floor(s / 60) % 60}`;
  return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(minutes)}:${two(s % 60)}`;
}

// How badly a queue needs help, worst first. A shape and a word for each, so that no colour is needed.
export const LEVELS = [
  { name: "critical", mark: "▲" },
  { name: "warning", mark: "◆" },
  { name: "watch", mark: "●" },
  { name: "good", mark: "✓" },
  { name: "few contacts", mark: "◌" },
  { name: "idle", mark: "○" },
];
const [CRITICAL, WARNING, WATCH, GOOD, FEW, IDLE] = LEVELS.keys();
/** A ratio of fewer contacts than this is chance. */
export const ENOUGH = 5;

export const auxOf = (now) => Object.values(now.agents_aux ?? {}).reduce((sum, n) => sum + n, 0);
/** The window that is shown when none is chosen; an engine that has no such window shows its first. */
export const WINDOW = "30m";
/** The key of the window shown of a row: the one `chosen`, else the one above, else the first, as the engine has it. */
export const windowKey = (row, chosen) => [chosen, WINDOW].find((key) => key && Object.hasOwn(row.windows, key)) ?? Object.keys(row.windows)[0];
export const windowOf = (row, chosen) => row.windows[windowKey(row, chosen)] ?? {};
/** The service level of the window; of now for queues whose variant looks at now only. */
export const serviceLevel = (row, chosen) => row.now.service_level_ratio ?? windowOf(row, chosen).service_level_ratio ?? null;

/** Where a service level is a breach: twice and three times the error budget, as the alert rules have it. */
export const warningBelow = (target) => Math.max(2 * target - 1, 0.75 * target);
export const criticalBelow = (target) => Math.max(3 * target - 2, 0.5 * target);

/** Index into LEVELS; the page of a queue has it of a row of all windows, of which one is chosen. */
export function levelOf(row, chosen) {
  const { now, settings } = row;
  const target = settings.service_level_target_ratio;
  const threshold = settings.threshold_seconds;
  const window = windowOf(row, chosen);
  const level = serviceLevel(row, chosen);
  const counted = now.service_level_ratio !== null || window.service_level_met + window.service_level_missed >= ENOUGH;
  const oldest = now.longest_wait_seconds ?? 0;
  // Of a client whose events are of contacts alone nothing is known of agents.
  const known = now.agents_available !== null || now.agents_online > 0;
  const unstaffed = now.waiting > 0 && known && now.agents_online !== null && now.agents_online - auxOf(now) <= 0;
  const below = (limit) => level !== null && counted && level < limit;
  if (unstaffed || below(criticalBelow(target)) || oldest > Math.max(6 * threshold, 120)) return CRITICAL;
  if (below(warningBelow(target)) || oldest > Math.max(3 * threshold, 60)) return WARNING;
  if (below(target) || now.waiting_past_threshold > 0) return WATCH;
  if (level !== null && !counted) return FEW;
  return now.waiting > 0 || level !== null ? GOOD : IDLE;
}

/** Controls, marks of direction and format, what is unassigned or private, separators, and what leaves a blank. */
const UNSEEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u{2800}]/u;
const escaped = (character) => `\\u{${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}}`;

/**
 * A name as it is shown: what cannot be seen in it is written out, so that no two names look the same and none
 * reverses what stands beside it. A space between two words is a space; a backslash that would read as such an
 * escape is one itself.
 */
export function shown(name) {
  const characters = [...name];
  return characters.map((character, at) => {
    const inside = character === " " && at > 0 && at < characters.length - 1 && characters[at - 1] !== " ";
    const fake = character === "\\" && characters[at + 1] === "u" && characters[at + 2] === "{";
    return fake || (UNSEEN.test(character) && !inside) ? escaped(character) : character;
  }).join("");
}

/** What people call a queue. */
export const nameOf = (row) => row.settings?.display_name || row.queue_id;
/** A queue's name in one text; its parts may hold anything, slashes too. */
export const keyOf = (row) => [row.client_id, row.queue_id, row.channel].map(encodeURIComponent).join("/");

/** A snapshot with the *now* figures that have changed since; its windows stay. Rows that it does not have are left for the next one. */
export function renewed(snapshot, changes) {
  const rows = (list, nameOf) => {
    const changed = new Map(changes[list].map((row) => [nameOf(row), row.now]));
    if (changed.size === 0) return snapshot[list];
    return snapshot[list].map((row) => {
      const now = changed.get(nameOf(row));
      return now ? { ...row, now } : row;
    });
  };
  return {
    ...snapshot,
    at: changes.at,
    data_age_seconds: changes.data_age_seconds,
    source_silence_seconds: changes.source_silence_seconds,
    queues: rows("queues", keyOf),
    clients: rows("clients", (row) => row.client_id),
    groups: rows("groups", (row) => row.group),
    channels: rows("channels", (row) => row.channel),
    total: { ...snapshot.total, now: changes.total.now },
  };
}

/** Where the figures of a queue are. In the query: in a path a part such as ".." would be a way up. */
export function sourceOf(key) {
  const [client = "", queue = "", channel = ""] = namesOf(key);
  return `/api/v1/queue?${new URLSearchParams({ client, queue, channel })}`;
}

/** Where its agents are. */
export const agentsOf = (key) => sourceOf(key).replace("/queue?", "/agents?");

/** Client, queue and channel of a key. */
export const namesOf = (key) => key.split("/").map(decoded);
/** A key that someone typed, as `keyOf` writes it. */
export const normal = (key) => namesOf(key).map(encodeURIComponent).join("/");

/** A text typed by hand may hold a % that stands for itself. */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Worst first: by level, then contacts past the threshold, then how far below the target, then by name. */
export function order(rows) {
  const ranked = rows.map((row) => {
    const gap = (serviceLevel(row) ?? 1) - row.settings.service_level_target_ratio;
    return { row, level: levelOf(row), past: row.now.waiting_past_threshold ?? 0, gap: Math.round(gap * 20), key: keyOf(row) };
  });
  ranked.sort((a, b) => a.level - b.level || b.past - a.past || a.gap - b.gap || (a.key < b.key ? -1 : 1));
  return ranked.map(({ row }) => row);
}

export function matches(row, view) {
  const text = view.find.trim().toLowerCase();
  return (!view.client || row.client_id === view.client)
    && (!view.group || row.settings.group === view.group)
    && (!view.channel || row.channel === view.channel)
    && (!text || [row.client_id, row.queue_id, row.channel, row.settings.display_name, row.settings.group]
      .some((part) => part?.toLowerCase().includes(text)));
}

/** Why no queue is shown, and nothing while some are; `rows` are those that match the view. */
export function emptiness(snapshot, view, rows) {
  if (rows.length > 0) return "";
  const chosen = ["client", "group", "channel", "find"].filter((name) => view[name].trim()).map((name) => `${name} "${shown(view[name].trim().slice(0, 60))}"`);
  return chosen.length > 0 && snapshot.queues.length > 0 ? `No queue matches ${chosen.join(", ")}.` : "There are no queues yet.";
}

/** Filters that the engine has subtotals of, the narrowest first: their rows in a snapshot, the key there, and of a queue. */
const SUBTOTALS = [
  ["group", "groups", "group", (row) => row.settings.group],
  ["channel", "channels", "channel", (row) => row.channel],
  ["client", "clients", "client_id", (row) => row.client_id],
];
const NO_AGENTS = "Agents are not counted here: one agent serves several queues, so they are counted for a whole client, group or channel only.";

/**
 * The row that sums up what is shown, its `title` and, where there are no agents in it, `why`. The engine's own row
 * where one is of just these queues, since that counts each agent once; else contacts are added up and agents left out.
 */
export function sumOf(snapshot, view, rows) {
  const find = view.find.trim();
  const chosen = SUBTOTALS.filter(([name]) => view[name]);
  if (!find && chosen.length === 0) return { ...snapshot.total, title: "all queues" };
  const title = titleOf(view, rows);
  for (const [name, list, key, of] of find ? [] : chosen) {
    const own = snapshot[list].find((row) => row[key] === view[name]);
    const queues = snapshot.queues.filter((row) => of(row) === view[name]);
    if (own && queues.length === rows.length) return { ...own, title };
  }
  return rows.length === 1 ? { ...rows[0], title } : { ...added(rows), title, why: NO_AGENTS };
}

/** What was chosen, in words; a group may be of several clients. */
function titleOf(view, rows) {
  const parts = ["client", "group", "channel"].filter((name) => view[name]).map((name) => `${name} ${shown(view[name])}`);
  if (view.find.trim()) parts.push(`find "${shown(view.find.trim())}"`);
  const clients = new Set(rows.map((row) => row.client_id)).size;
  return `${parts.join(", ")}${view.group && clients > 1 ? ` of ${clients} clients` : ""}`;
}

function added(rows) {
  const sum = (pick) => rows.reduce((all, row) => all + (pick(row) ?? 0), 0);
  const over = (top, bottom) => (bottom > 0 ? top / bottom : null);
  const window = (key) => sum((row) => windowOf(row)[key]);
  const met = window("service_level_met");
  const waits = rows.map((row) => row.now.longest_wait_seconds).filter((wait) => wait !== null);
  return {
    now: {
      waiting: sum((row) => row.now.waiting),
      waiting_past_threshold: sum((row) => row.now.waiting_past_threshold),
      longest_wait_seconds: waits.length ? Math.max(...waits) : null,
    },
    windows: {
      sum: {
        offered: window("offered"), answered: window("answered"), abandoned: window("abandoned"),
        service_level_ratio: over(met, met + window("service_level_missed")),
        abandonment_ratio: over(window("abandoned"), window("answered") + window("abandoned")),
        answer_speed_average_seconds: over(window("answered_wait_seconds"), window("answered")),
      },
    },
  };
}

/** Up, down or level against a minute ago; five points count, less is chance. */
export function trend(now, before) {
  if (now === null || before === null || before === undefined) return { mark: "", word: "" };
  if (now - before > 0.05) return { mark: "↗", word: "rising" };
  if (now - before < -0.05) return { mark: "↘", word: "falling" };
  return { mark: "→", word: "steady" };
}
