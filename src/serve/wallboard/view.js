// What is shown, held by the URL: a bookmark is a view.

import { shown } from "./figures.js";

const DEFAULTS = { client: "", group: "", channel: "", find: "", window: "", view: "rows", theme: "", sound: "", wall: "", rotate: "15", queue: "" };

/** On or off; whoever types an address may say off in other words than by leaving it out. */
const SWITCHES = ["sound", "wall"];
const OFF = ["", "0", "false", "no", "off"];

const CHOICES = { view: ["rows", "tiles"], theme: ["light", "dark"] };
const SHORT = 40;

export function read() {
  const query = new URLSearchParams(location.search);
  const view = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (query.has(key)) view[key] = query.get(key);
  view.queue = queueIn(location.search);
  for (const [key, values] of Object.entries(CHOICES)) if (!values.includes(view[key])) view[key] = DEFAULTS[key];
  for (const key of SWITCHES) view[key] = OFF.includes(view[key].toLowerCase()) ? "" : "1";
  return view;
}

/** What an address asks for that cannot be shown, in words. */
export function misread(search) {
  const query = new URLSearchParams(search);
  const brief = (text) => shown(text.slice(0, SHORT));
  const twice = Object.keys(DEFAULTS).filter((key) => query.getAll(key).length > 1);
  const unknown = Object.entries(CHOICES).filter(([key, values]) => query.get(key) && !values.includes(query.get(key)));
  return [
    ...twice.map((key) => `The address has ${key} ${query.getAll(key).length} times. Shown is "${brief(query.get(key))}".`),
    ...unknown.map(([key, values]) => `There is no ${key} "${brief(query.get(key))}"; there are ${values.join(", ")}. Shown is ${DEFAULTS[key] || "as the system has it"}.`),
  ];
}

/**
 * The key of the queue in an address. Its parts are encoded in the key, and the key once more where the page wrote the
 * address; where someone wrote it, the text itself is the key.
 */
function queueIn(search) {
  const key = new URLSearchParams(search).get("queue") ?? "";
  const written = /[?&]queue=([^&]*)/.exec(search)?.[1].replaceAll("+", "%20") ?? "";
  const isKey = (text) => text.split("/").length === 3;
  return !isKey(key) && isKey(written) ? written : key;
}

/** The address of a view: only what differs from the defaults. */
export function address(view) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(view)) if (value !== DEFAULTS[key]) query.set(key, value);
  const text = query.toString().replaceAll("%2F", "/");
  return text ? `/?${text}` : "/";
}
