// What is shown, held by the URL: a bookmark is a view.

const DEFAULTS = { client: "", group: "", channel: "", find: "", window: "", view: "rows", theme: "", sound: "", wall: "", rotate: "15", queue: "" };

/** On or off; whoever types an address may say off in other words than by leaving it out. */
const SWITCHES = ["sound", "wall"];
const OFF = ["", "0", "false", "no", "off"];

export function read() {
  const query = new URLSearchParams(location.search);
  const view = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (query.has(key)) view[key] = query.get(key);
  for (const key of SWITCHES) view[key] = OFF.includes(view[key].toLowerCase()) ? "" : "1";
  return view;
}

/** The address of a view: only what differs from the defaults. */
export function address(view) {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(view)) if (value !== DEFAULTS[key]) query.set(key, value);
  const text = query.toString().replaceAll("%2F", "/");
  return text ? `/?${text}` : "/";
}
