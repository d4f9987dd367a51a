// The last hours of the queues that can be seen: asked for one at a time, kept for a minute, forgotten when
// they have not been seen for long.

import { sourceOf } from "./figures.js";

const FRESH = 60_000;
const FORGET = 300_000;
const AT_ONCE = 2;

export class Hours {
  constructor(arrived) {
    this.arrived = arrived;
    this.known = new Map();
    this.busy = 0;
    this.wanted = [];
  }

  /** The minutes of a queue, if they are there; asks for them if they are missing or old. */
  of(key) {
    const entry = this.known.get(key);
    const now = Date.now();
    if (entry) entry.seen = now;
    if ((!entry || now - entry.asked > FRESH) && !this.wanted.includes(key)) {
      this.wanted.push(key);
      this.next();
    }
    return entry?.minutes ?? null;
  }

  async next() {
    if (this.busy >= AT_ONCE || this.wanted.length === 0) return;
    this.busy += 1;
    const key = this.wanted.shift();
    const entry = this.known.get(key) ?? { minutes: null, seen: Date.now() };
    entry.asked = Date.now();
    this.known.set(key, entry);
    try {
      const answer = await fetch(`${sourceOf(key)}&window=${encodeURIComponent(this.window ?? "")}`);
      if (answer.ok) entry.minutes = (await answer.json()).last_hour;
    } catch {
      // not reachable: the page says so elsewhere
    }
    this.busy -= 1;
    this.forget();
    this.arrived();
    this.next();
  }

  forget() {
    const now = Date.now();
    for (const [key, entry] of this.known) if (now - entry.seen > FORGET) this.known.delete(key);
    if (this.wanted.length > 100) this.wanted.length = 100;
  }
}
