// What figures mean: levels, order, sums, how they are written.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const source = readFileSync(new URL("../../src/serve/wallboard/figures.js", import.meta.url), "utf8");
const { LEVELS, NONE, clock, emptiness, levelOf, matches, order, percent, renewed, shown, sumOf, trend, whole, windowKey } = await import(`data:text/javascript,${encodeURIComponent(source)}`);

/** A queue that is well, and what differs. */
function row(differs = {}) {
  const { name = "sales", now = {}, window = {}, target = 0.8, threshold = 20, group = null } = differs;
  return {
    client_id: "acme", queue_id: name, channel: "voice",
    settings: { display_name: null, group, service_level_target_ratio: target, threshold_seconds: threshold },
    now: { waiting: 0, waiting_past_threshold: 0, longest_wait_seconds: null, service_level_ratio: null, agents_online: 5, agents_available: 3, agents_aux: {}, ...now },
    windows: { "30m": { offered: 20, answered: 18, abandoned: 2, service_level_met: 18, service_level_missed: 2, service_level_ratio: 0.9, answered_wait_seconds: 180, ...window } },
  };
}
const of = (met, missed) => ({ service_level_met: met, service_level_missed: missed, service_level_ratio: met / (met + missed) });

for (const [what, differs, level] of [
  ["well", {}, "good"],
  ["nothing at all", { window: { ...of(0, 0), service_level_ratio: null } }, "idle"],
  ["below the target", { window: of(79, 21) }, "watch"],
  ["at the target", { window: of(80, 20) }, "good"],
  ["past twice the budget", { window: of(59, 41) }, "warning"],
  ["past three times the budget", { window: of(39, 61) }, "critical"],
  ["the same against a higher target", { target: 0.9, window: of(79, 21) }, "warning"],
  ["bad, but of four contacts", { window: of(0, 4) }, "few contacts"],
  ["well, but of four contacts", { window: of(4, 0) }, "few contacts"],
  ["of five contacts", { window: of(5, 0) }, "good"],
  ["of now, however few", { now: { service_level_ratio: 1 }, window: of(1, 0) }, "good"],
  ["one past its threshold", { now: { waiting: 1, waiting_past_threshold: 1, longest_wait_seconds: 25 } }, "watch"],
  ["one for more than a minute", { now: { waiting: 1, waiting_past_threshold: 1, longest_wait_seconds: 61 } }, "warning"],
  ["one for more than two minutes", { now: { waiting: 1, waiting_past_threshold: 1, longest_wait_seconds: 121 } }, "critical"],
  ["the same where five minutes are fine", { threshold: 300, now: { waiting: 1, longest_wait_seconds: 121 } }, "good"],
  ["nobody at work", { now: { waiting: 1, agents_online: 2, agents_available: 0, agents_aux: { break: 1, lunch: 1 } } }, "critical"],
  ["nobody at work and nobody waits", { now: { agents_online: 0, agents_available: 0 } }, "good"],
  ["events of contacts alone", { now: { waiting: 1, agents_online: 0, agents_available: null } }, "good"],
  ["agents are not known", { now: { waiting: 1, agents_online: null, agents_aux: null } }, "good"],
]) {
  test(`level: ${what}`, () => assert.equal(LEVELS[levelOf(row(differs))].name, level));
}

for (const [what, windows, chosen, key, level] of [
  ["what the stream brings", { today: of(1, 9) }, "today", "today", "critical"],
  ["what the stream brings, nothing chosen", { today: of(1, 9) }, "", "today", "critical"],
  ["none chosen of several", { "1m": of(1, 9), "30m": of(9, 1), today: of(7, 3) }, "", "30m", "good"],
  ["one chosen of several", { "1m": of(1, 9), "30m": of(9, 1), today: of(7, 3) }, "today", "today", "watch"],
  ["none chosen and none of half an hour", { "1m": of(1, 9), today: of(7, 3) }, "", "1m", "critical"],
  ["one chosen that is not there", { "1m": of(1, 9), "30m": of(9, 1) }, "constructor", "30m", "good"],
]) {
  test(`the window shown: ${what}`, () => {
    const one = { ...row(), windows };
    assert.equal(windowKey(one, chosen), key);
    assert.equal(LEVELS[levelOf(one, chosen)].name, level);
  });
}

test("worst first: level, past the threshold, distance from the target, name", () => {
  const waiting = (n) => ({ waiting: n, waiting_past_threshold: n, longest_wait_seconds: 30 });
  const rows = [
    row({ name: "b" }), row({ name: "a" }), row({ name: "low", window: of(70, 30) }), row({ name: "lower", window: of(61, 39) }),
    row({ name: "two", now: waiting(2) }), row({ name: "five", now: waiting(5) }), row({ name: "worst", window: of(1, 9) }),
  ];
  assert.deepEqual(order(rows).map((one) => one.queue_id), ["worst", "five", "two", "lower", "low", "a", "b"]);
});

test("a sum is the engine's where one is of just these queues, else contacts are added and agents left out", () => {
  const of = (client, name, group, waiting) => ({ ...row({ name, group, now: { waiting, longest_wait_seconds: waiting } }), client_id: client });
  const queues = [of("acme", "a", "sales", 1), of("acme", "b", "sales", 2), of("acme", "c", "service", 4), of("globex", "a", "sales", 8), of("globex", "d", "claims", 16)];
  const own = (waiting) => ({ now: { waiting, agents_online: 5 }, windows: {} });
  const snapshot = {
    queues, clients: [{ client_id: "acme", ...own(100) }, { client_id: "globex", ...own(101) }],
    groups: [{ group: "claims", ...own(102) }, { group: "sales", ...own(103) }, { group: "service", ...own(104) }],
    channels: [{ channel: "voice", ...own(105) }], total: own(99),
  };
  for (const [what, chosen, waiting, title] of [
    ["nothing chosen", {}, 99, "all queues"],
    ["a client", { client: "acme" }, 100, "client acme"],
    ["a group", { group: "sales" }, 103, "group sales of 2 clients"],
    ["a client and its channel, which is all of it", { client: "acme", channel: "voice" }, 100, "client acme, channel voice"],
    ["a client's group that no other client has, of two queues or one", { client: "acme", group: "service" }, 104, "client acme, group service"],
    ["one queue of a group that others have too", { client: "globex", group: "sales" }, 8, "client globex, group sales"],
    ["a client's part of a group", { client: "acme", group: "sales" }, 3, "client acme, group sales"],
    ["a text", { find: " c " }, 31, 'find "c"'],
    ["a text in a client", { client: "acme", find: "b" }, 2, 'client acme, find "b"'],
  ]) {
    const view = { client: "", group: "", channel: "", find: "", ...chosen };
    const sum = sumOf(snapshot, view, queues.filter((one) => matches(one, view)));
    assert.deepEqual([sum.now.waiting, sum.title], [waiting, title], what);
    const added = waiting === 3 || waiting === 31;
    assert.deepEqual([sum.now.agents_online, /one agent serves several queues/.test(sum.why)], added ? [undefined, true] : [5, false], what);
  }
  const added = sumOf(snapshot, { client: "acme", group: "sales", channel: "", find: "" }, [row({ now: { longest_wait_seconds: 9 } }), row({ now: { waiting: 2 }, window: { service_level_met: 1, service_level_missed: 9 } })]);
  assert.equal(added.now.longest_wait_seconds, 9);
  assert.equal(added.windows.sum.service_level_ratio, 19 / 30);
});

test("filters", () => {
  const view = { client: "acme", group: "x", channel: "voice", find: " SAL " };
  assert.ok(matches(row({ group: "x" }), view));
  assert.ok(!matches(row({ group: "y" }), view));
  assert.ok(!matches(row({ name: "support", group: "x" }), view));
});

test("nothing to be seen is said why", () => {
  const view = { client: "", group: "", channel: "", find: " " };
  const some = { queues: [row()] };
  assert.equal(emptiness(some, view, some.queues), "");
  assert.equal(emptiness({ queues: [] }, { ...view, client: "acme" }, []), "There are no queues yet.");
  assert.equal(emptiness(some, { ...view, client: "no\u202Ebody", find: " x " }, []), 'No queue matches client "no\\u{202E}body", find "x".');
});

test("how figures are written", () => {
  assert.deepEqual([clock(null), clock(0), clock(59.6), clock(750), clock(3723)], [NONE, "0:00", "1:00", "12:30", "1:02:03"]);
  assert.deepEqual([percent(null), percent(0.805), whole(undefined), whole(0)], [NONE, "81 %", NONE, "0"]);
  assert.deepEqual([trend(0.9, 0.8).word, trend(0.8, 0.9).word, trend(0.8, 0.82).word, trend(null, 0.8).word], ["rising", "falling", "steady", ""]);
});

for (const [what, name, seen] of [
  ["nothing: letters, marks and signs of any script", "Vertrieb Köln / 東京 मुंबई مبيعات ☎ e\u0301", "Vertrieb Köln / 東京 मुंबई مبيعات ☎ e\u0301"],
  ["marks of direction", "\u202Etuo\u2066in", "\\u{202E}tuo\\u{2066}in"],
  ["controls and line ends", "a\u0007b\nc\u2028d", "a\\u{0007}b\\u{000A}c\\u{2028}d"],
  ["what has no width", "sa\u200Bles\uFEFF\u00AD", "sa\\u{200B}les\\u{FEFF}\\u{00AD}"],
  ["blanks that are no spaces", "\u00A0\u3000\u3164\u2800", "\\u{00A0}\\u{3000}\\u{3164}\\u{2800}"],
  ["spaces that cannot be seen", " a  b ", "\\u{0020}a \\u{0020}b\\u{0020}"],
  ["nothing but a space", " ", "\\u{0020}"],
  ["beyond the first plane", "\u{E0001}\u{1F600}", "\\u{E0001}\u{1F600}"],
  ["what reads as an escape", "\\u{202E} and C:\\users", "\\u{005C}u{202E} and C:\\users"],
]) {
  test(`names are shown as they are, but for ${what}`, () => assert.equal(shown(name), seen));
}

test("changes are put into what was told; what is not known is left for the next figures", () => {
  const told = { at: "1", data_age_seconds: 0.3, source_silence_seconds: 9, queues: [row(), row({ name: "help" })], clients: [{ client_id: "acme", now: { waiting: 0 }, windows: 1 }], groups: [], channels: [], total: { now: { waiting: 0 }, windows: 2 } };
  const now = { waiting: 4 };
  const next = renewed(told, { at: "2", data_age_seconds: 0.4, source_silence_seconds: 0, queues: [{ ...row({ name: "help" }), now }, { ...row({ name: "new" }), now }], clients: [], groups: [], channels: [], total: { now } });
  assert.deepEqual(next.queues, [told.queues[0], { ...told.queues[1], now }]);
  assert.deepEqual([next.at, next.data_age_seconds, next.source_silence_seconds, next.clients, next.total], ["2", 0.4, 0, told.clients, { now, windows: 2 }]);
  assert.equal(told.queues[1].now.waiting, 0);
});
