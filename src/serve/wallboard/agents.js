// Who is where: the agents who serve one queue, those who need a look first. Only what can be seen is on the page.

import { clock, shown } from "./figures.js";
import { List } from "./list.js";
import { part, set } from "./queue.js";

const ROW = { height: 30 };
const ORDER = ["not_responding", "alerting", "on_contact", "acw", "idle", null];
const WORDS = { not_responding: "not responding", alerting: "alerting", on_contact: "on contact", acw: "ACW" };
/** A shape beside each word. */
const MARKS = { not_responding: "▲", alerting: "◆", on_contact: "●", acw: "◐" };
const HEADS = ["", "Agent", "State", "For", "Contacts"];

/** What an agent does, in words: what he declared is told too where it says something else. */
export function stateOf(agent) {
  const aux = agent.reason === null ? "aux" : `aux: ${shown(agent.reason)}`;
  const declared = { available: "available", aux, offline: "offline" }[agent.presence];
  const does = WORDS[agent.activity];
  if (!does) return declared;
  return agent.presence === "available" ? does : `${does} (${declared})`;
}

const markOf = (agent) => MARKS[agent.activity] ?? (agent.presence === "available" ? "✓" : "○");

/** `chat: 1 connected, 1 held; voice: 1 held`. */
export function contactsOf(agent) {
  const channels = Object.entries(agent.contacts ?? {});
  const counts = (states) => Object.entries(states).map(([state, n]) => `${n} ${state === "acw" ? "ACW" : state}`).join(", ");
  return channels.map(([channel, states]) => `${shown(channel)}: ${counts(states)}`).join("; ");
}

/** Those who need a look first; among equals whoever has been so for longest. */
export function inOrder(agents) {
  const rank = (agent) => ORDER.indexOf(agent.activity) + (agent.activity === "idle" && agent.presence === "available" ? 0.5 : 0);
  const since = (agent) => agent.since ?? "";
  return [...agents].sort((a, b) => rank(a) - rank(b) || (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0));
}

/** Who it is in the list; those not named yet by their place. */
const keyOf = (agent, at) => (agent.agent_id === null ? `at ${at}` : `id ${agent.agent_id}`);
const nameOf = (agent) => (agent.agent_id === null ? "not named yet" : shown(agent.agent_id));

export class Agents {
  constructor() {
    this.section = document.createElement("section");
    this.section.className = "agents";
    this.section.hidden = true;
    this.section.setAttribute("aria-label", "Agents");
    this.title = document.createElement("h3");
    const heads = document.createElement("div");
    heads.className = "cells heads";
    heads.setAttribute("aria-hidden", "true");
    for (const head of HEADS) part("", heads).textContent = head;
    this.box = document.createElement("div");
    this.box.className = "listed";
    this.box.tabIndex = 0;
    this.box.setAttribute("role", "region");
    this.box.setAttribute("aria-label", "Agents of this queue, those who need a look first");
    this.section.append(this.title, heads, this.box);
    this.list = new List(this.box, { role: "list", made: () => this.made(), key: keyOf, filled: (node, agent) => this.filled(node, agent) });
    this.list.shape(ROW);
  }

  /** An answer of the engine, or nothing where agents are not listed. */
  show(answer) {
    this.section.hidden = !answer;
    if (!answer) return;
    const agents = answer.ok ? answer.body.agents : [];
    set(this.title, answer.ok ? this.heading(answer.body) : `No agents listed: ${shown(answer.body.error)}`);
    this.at = Date.parse(answer.body.at);
    this.box.style.height = `${Math.min(agents.length, 12) * ROW.height}px`;
    this.list.show(inOrder(agents));
  }

  heading({ agents, complete, partitions }) {
    const known = agents.every((agent) => agent.activity !== null);
    const part = complete ? "" : ` Only those of agent partitions ${partitions.join(", ") || "none"}, which this instance has.`;
    const feed = known ? "" : " No contact feed tells what they do.";
    return `${agents.length} ${agents.length === 1 ? "agent" : "agents"}.${part}${feed}`;
  }

  made() {
    const item = document.createElement("div");
    item.className = "agent";
    item.tabIndex = -1;
    item.setAttribute("role", "listitem");
    const spoken = part("spoken", item);
    const seen = part("cells", item);
    seen.setAttribute("aria-hidden", "true");
    item.parts = { spoken, cells: HEADS.map(() => part("cell", seen)) };
    return item;
  }

  filled(item, agent) {
    const lasted = agent.since === null ? "" : clock(Math.max(0, (this.at - Date.parse(agent.since)) / 1000));
    const [name, state, contacts] = [nameOf(agent), stateOf(agent), contactsOf(agent)];
    const texts = [markOf(agent), name, state, lasted, contacts];
    texts.forEach((text, at) => set(item.parts.cells[at], text));
    for (const at of [1, 2, 4]) if (item.parts.cells[at].title !== texts[at]) item.parts.cells[at].title = texts[at];
    set(item.parts.spoken, `${name}: ${state}${lasted && ` for ${lasted}`}${contacts && `; ${contacts}`}.`);
    item.dataset.state = agent.activity ?? agent.presence;
  }
}
