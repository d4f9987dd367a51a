// An engine that says what a test wants: the real page over figures of any number of queues.

import { createServer } from "node:http";
import { readFileSync } from "node:fs";

const FILES = new URL("../../src/serve/wallboard/", import.meta.url);
const TYPES = { js: "text/javascript", css: "text/css", html: "text/html" };
const POLICY = "default-src 'none'; connect-src 'self'; img-src data:; style-src 'self'; script-src 'self'";

function queue(at) {
  const now = {
    waiting: 0, waiting_past_threshold: 0, longest_wait_seconds: null, expected_wait_seconds: 0, service_level_ratio: null,
    contacts_by_state: { waiting: 0, alerting: 0, connected: 3, held: 0, acw: 1 }, agents_online: 10, agents_available: 4,
    agents_alerting: 0, agents_on_contact: 3, agents_acw: 1, agents_not_responding: 0, agents_aux: { break: 2 },
  };
  const window = {
    complete: true, offered: 50, answered: 45, abandoned: 2, service_level_ratio: 0.9, service_level_met: 45, service_level_missed: 5,
    answered_wait_seconds: 400, answer_speed_average_seconds: 8.9, abandonment_ratio: 0.04, occupancy_ratio: 0.7, flowed_out: { overflow: 0 },
  };
  return {
    client_id: `client-${at % 5}`, queue_id: `queue-${String(at).padStart(4, "0")}`, channel: at % 3 ? "voice" : "chat",
    settings: { display_name: null, group: `group-${at % 4}`, service_level_variant: "sl9", service_level_target_ratio: 0.8, threshold_seconds: 20 },
    now, windows: { "30m": window },
  };
}

/** Starts an engine of `count` queues and these windows, the first of which it takes for one that it has not. `rows` may be changed; each tick sends what they say then. */
export async function fake(count, windows = ["30m"]) {
  const rows = Array.from({ length: count }, (_, at) => queue(at));
  for (const row of rows) row.windows = Object.fromEntries(windows.map((key) => [key, row.windows["30m"]]));
  const names = (key) => [...new Set(rows.map(key))].sort();
  const sum = { now: rows[0].now, windows: rows[0].windows };
  const engine = { rows, age: 0.3, silence: 0.4, absent: null, silent: false, changing: false, agents: null, asked: [], listeners: new Set() };
  const brief = (row, key) => ({ ...row, windows: { [key]: row.windows[key] } });
  const snapshot = (key) => JSON.stringify({
    at: new Date().toISOString(), data_age_seconds: engine.age, source_silence_seconds: engine.silence, queues: rows.map((row) => brief(row, key)),
    clients: names((row) => row.client_id).map((client_id) => ({ client_id, ...sum })),
    groups: names((row) => row.settings.group).map((group) => ({ group, ...sum })),
    channels: names((row) => row.channel).map((channel) => ({ channel, ...sum })), total: sum,
  });
  const windowOf = (request) => new URL(request.url, "http://fake").searchParams.get("window") ?? windows[0];
  const minutes = Array.from({ length: 60 }, (_, at) => ({
    from: new Date(Date.now() - (60 - at) * 60_000).toISOString(), offered: 3 + (at % 4), answered: 3, abandoned: at % 9 ? 0 : 1, service_level_met: 3, service_level_missed: at % 7 ? 0 : 2,
  }));
  const server = createServer((request, response) => {
    const [path] = request.url.split("?");
    if (path === "/" || path.startsWith("/wallboard/")) {
      const name = path === "/" ? "board.html" : path.split("/").pop();
      response.writeHead(200, { "content-type": TYPES[name.split(".").pop()], "content-security-policy": POLICY });
      response.end(readFileSync(new URL(name, FILES)));
    } else if (path === "/api/v1/stream" && !windows.includes(windowOf(request))) {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "there is no such window" }));
    } else if (path === "/api/v1/stream") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(`event: hello\ndata: ${JSON.stringify({ version: "fake", window: windowOf(request), windows, lists_agents: engine.agents !== null })}\n\n`);
      response.window = windowOf(request);
      engine.listeners.add(response);
      response.on("close", () => engine.listeners.delete(response));
    } else if (path === "/api/v1/agents") {
      engine.asked.push(request.url);
      response.writeHead(engine.agents ? 200 : 403, { "content-type": "application/json" });
      response.end(JSON.stringify(engine.agents ?? { error: "agents are not listed: agents.list is false in the configuration" }));
    } else {
      const asked = new URL(request.url, "http://fake").searchParams;
      const row = path === "/api/v1/queue" && rows.find((row) => row.client_id === asked.get("client") && row.queue_id === asked.get("queue") && row.channel === asked.get("channel"));
      response.writeHead(row ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(row ? { ...row, last_hour: minutes } : { error: "there is no such queue" }));
    }
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const changes = () => JSON.stringify({
    at: new Date().toISOString(), data_age_seconds: engine.age, source_silence_seconds: engine.silence,
    queues: rows.filter((row, at) => JSON.stringify(row.now) !== told[at]).map(({ client_id, queue_id, channel, now }) => ({ client_id, queue_id, channel, now })),
    clients: [], groups: [], channels: [], total: { now: rows[0].now },
  });
  // As the engine: all of it each 250 ms; when there is much to say each second, and between what has changed since. `changing` ends the former.
  const much = count > 300;
  let [ticks, told] = [0, []];
  const timer = setInterval(() => {
    if (engine.silent || engine.listeners.size === 0) return;
    const absent = engine.absent && `event: absent\ndata: ${JSON.stringify({ reason: engine.absent })}\n\n`;
    const all = !much || (ticks++ % 4 === 0 && !engine.changing);
    if (all) told = rows.map((row) => JSON.stringify(row.now));
    const now = all || absent ? "" : `event: now\ndata: ${changes()}\n\n`;
    for (const key of new Set([...engine.listeners].map((listener) => listener.window))) {
      const text = absent || now || `event: figures\ndata: ${snapshot(key)}\n\n`;
      for (const listener of engine.listeners) if (listener.window === key) listener.write(text);
    }
  }, 250);
  engine.url = `http://127.0.0.1:${server.address().port}`;
  engine.close = () => {
    clearInterval(timer);
    server.closeAllConnections();
    server.close();
  };
  return engine;
}
