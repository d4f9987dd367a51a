// Small plots as SVG, without a library. Colours come from the style sheet, by class.

const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A path through the points that are there; a hole where there is none. */
function path(values, x, y) {
  let pen = false;
  return values.map((value, at) => {
    const text = value === null ? "" : `${pen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value !== null;
    return text;
  }).join("");
}

/**
 * The service level of each minute of the last hour against its target, and bars of what was offered. Small
 * enough for a row; `label` says it in words.
 */
export function spark(svg, minutes, target, label) {
  const [width, height] = [120, 30];
  const most = Math.max(1, ...minutes.map((minute) => minute.offered));
  const x = (at) => (at + 0.5) * (width / minutes.length);
  const y = (ratio) => 2 + (1 - ratio) * (height - 4);
  const bars = minutes.map((minute, at) => {
    const tall = (minute.offered / most) * (height - 2);
    return `M${x(at).toFixed(1)} ${height}v${(-tall).toFixed(1)}`;
  }).join("");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("aria-label", label);
  svg.replaceChildren(
    element("path", { class: "bars", d: bars }),
    element("path", { class: "target", d: `M0 ${y(target)}H${width}` }),
    element("path", { class: "level", d: path(smooth(minutes), x, y) }),
  );
}

/** Five minutes at a time: one minute of a small queue is one or two contacts. */
function smooth(minutes) {
  return minutes.map((_, at) => {
    const some = minutes.slice(Math.max(0, at - 4), at + 1);
    const met = some.reduce((sum, minute) => sum + minute.service_level_met, 0);
    const all = met + some.reduce((sum, minute) => sum + minute.service_level_missed, 0);
    return all > 0 ? met / all : null;
  });
}

/** The last hour of one queue, large: contacts by outcome as bars, the service level as a line. */
export function hour(minutes, target) {
  const [width, height, left, bottom] = [1100, 220, 40, 24];
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, class: "hour", role: "img" });
  const most = Math.max(4, ...minutes.map((minute) => minute.answered + minute.abandoned));
  const step = (width - left - 40) / minutes.length;
  const x = (at) => left + (at + 0.5) * step;
  const floor = height - bottom;
  const tall = (count) => (count / most) * (floor - 10);
  const y = (ratio) => 10 + (1 - ratio) * (floor - 10);
  const column = (at, from, count) => (count > 0 ? `M${x(at).toFixed(1)} ${(floor - tall(from)).toFixed(1)}v${(-tall(count)).toFixed(1)}` : "");
  const bars = (from, count) => minutes.map((minute, at) => column(at, from(minute), count(minute))).join("");
  const thick = Math.max(2, step * 0.7).toFixed(1);
  svg.append(
    element("path", { class: "answered", "stroke-width": thick, d: bars(() => 0, (minute) => minute.answered) }),
    element("path", { class: "abandoned", "stroke-width": thick, d: bars((minute) => minute.answered, (minute) => minute.abandoned) }),
    element("path", { class: "target", d: `M${left} ${y(target)}H${width - 40}` }),
    element("path", { class: "level", d: path(smooth(minutes), x, y) }),
  );
  const say = (at, line, text, anchor) => {
    const made = element("text", { x: at, y: line, "text-anchor": anchor });
    made.textContent = text;
    svg.append(made);
  };
  say(left - 6, 16, String(most), "end");
  say(left - 6, floor, "0", "end");
  say(width - 34, 14, "100 %", "start");
  say(width - 34, y(target) + 4, `${Math.round(target * 100)} %`, "start");
  for (let at = 0; at < minutes.length; at += 15) say(x(at), height - 6, new Date(minutes[at].from).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }), "middle");
  const total = (key) => minutes.reduce((sum, minute) => sum + minute[key], 0);
  svg.setAttribute("aria-label", `Last hour by the minute: ${total("answered")} answered, ${total("abandoned")} abandoned; service level over five minutes as a line, the target ${Math.round(target * 100)} percent as a dashed line`);
  return svg;
}
