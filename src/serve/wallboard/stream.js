// The event stream: stays connected, and says truthfully how old what it has is.

import { WINDOW, renewed, shown } from "./figures.js";

/** Nothing heard for this long: the connection is lost, whatever the browser thinks. */
const SILENT_AFTER = 5000;
/** No event for so many seconds is said beside the age; for so many more loudly. */
const QUIET = 10;
const DUMB = 60;
const RETRY_FIRST = 500;
const RETRY_MOST = 10_000;

const ago = (seconds) => (seconds < 120 ? `${Math.floor(seconds)} s` : seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`);

export class Stream {
  /** `told` has `hello`, `figures`, `absent`: what to do with each event. */
  constructor(told) {
    this.told = told;
    this.heard = 0;
    this.begun = Date.now();
    this.retry = RETRY_FIRST;
    this.window = "";
    this.reason = "";
    this.age = null;
    this.silence = null;
    /** When figures last came; 0 before. */
    this.figured = 0;
    setInterval(() => this.watch(), 500);
  }

  open(window) {
    this.window = window;
    this.connect();
  }

  connect() {
    clearTimeout(this.again);
    this.again = null;
    this.source?.close();
    const window = this.window ? `&window=${encodeURIComponent(this.window)}` : "";
    this.source = new EventSource(`/api/v1/stream?brief=true${window}`);
    this.tried = Date.now();
    this.source.addEventListener("hello", (event) => {
      this.hear();
      this.told.hello(JSON.parse(event.data));
    });
    this.snapshot = null;
    this.source.addEventListener("figures", (event) => this.figures(JSON.parse(event.data)));
    // Between two seconds much is told by its changes.
    this.source.addEventListener("now", (event) => {
      if (this.snapshot) this.figures(renewed(this.snapshot, JSON.parse(event.data)));
    });
    this.source.addEventListener("absent", (event) => {
      this.hear();
      this.reason = shown(JSON.parse(event.data).reason);
      this.told.absent();
    });
    this.source.addEventListener("error", () => this.later());
  }

  hear() {
    this.heard = Date.now();
    this.retry = RETRY_FIRST;
  }

  figures(snapshot) {
    this.hear();
    this.reason = "";
    this.snapshot = snapshot;
    this.age = snapshot.data_age_seconds;
    this.silence = snapshot.source_silence_seconds ?? null;
    this.lastEvent = this.silence === null ? null : Date.parse(snapshot.at) - this.silence * 1000;
    this.figured = Date.now();
    this.told.figures(snapshot);
  }

  /** Tries again, each time after twice as long. A window that is not configured is given up for the usual one. */
  later() {
    this.source.close();
    // What waits already is not put off: this is called again and again while nothing is heard.
    if (this.again) return;
    this.again = setTimeout(async () => {
      this.retry = Math.min(2 * this.retry, RETRY_MOST);
      if (this.window && (await this.refused())) this.window = this.window === WINDOW ? "" : WINDOW;
      this.connect();
    }, this.retry);
  }

  async refused() {
    try {
      const answer = await fetch(`/api/v1/stream?window=${encodeURIComponent(this.window)}`, { method: "HEAD" });
      return answer.status === 400;
    } catch {
      return false;
    }
  }

  watch() {
    const now = Date.now();
    if (now - Math.max(this.heard, this.tried ?? now) > SILENT_AFTER) this.later();
    this.told.state(this.state(now));
  }

  /** `kind`: live, late (old or no figures), lost (no connection), connecting. */
  state(now) {
    const silent = now - (this.heard || this.begun);
    if (silent > SILENT_AFTER) {
      const since = new Date(this.heard || this.begun).toLocaleTimeString();
      return { kind: "lost", text: `Connection lost since ${since}. What you see is old; trying again.` };
    }
    if (this.reason) {
      const since = this.figured ? `since ${new Date(this.figured).toLocaleTimeString()}` : "yet";
      return { kind: "late", text: `No figures ${since}: ${this.reason.replace(/^no figures( yet)?: /, "")}.` };
    }
    if (!this.figured) return { kind: "connecting", text: "connecting …" };
    // What was told grows older by itself.
    const passed = (now - this.figured) / 1000;
    const age = this.age === null ? null : this.age + passed;
    if (age > 15) return { kind: "late", text: `Figures are ${Math.round(age)} s old: the engine is behind its events.` };
    const silence = this.silence === null ? 0 : this.silence + passed;
    const parts = ["live"];
    if (age !== null) parts.push(`${age.toFixed(1)} s`);
    if (silence > QUIET) parts.push(`last event ${ago(silence)} ago`);
    return { kind: age > 5 ? "slow" : "live", text: parts.join(", "), quietSince: silence > DUMB ? this.lastEvent : null };
  }
}
