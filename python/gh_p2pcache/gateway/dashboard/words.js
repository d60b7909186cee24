// Numbers and times as the commands write them, and making elements without any HTML in strings.

export const SOURCES = ["hit", "peer", "revalidated", "coalesced", "stale", "miss", "bypass"];
export const SAVING = ["hit", "peer", "revalidated", "coalesced", "stale"];

export const number = (n) => Math.round(n).toLocaleString("en-US");
export const percent = (part, whole) => (whole ? `${Math.round((100 * part) / whole)} %` : "·");

export function bytes(count) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (count < 1024) {
      return unit === "B" || count >= 100 ? `${count.toFixed(0)} ${unit}` : `${count.toFixed(1)} ${unit}`;
    }
    count /= 1024;
  }
  return `${count.toFixed(1)} TiB`;
}

export function took(seconds) {
  if (seconds < 0.01) return `${(seconds * 1000).toFixed(2)} ms`;
  return seconds < 10 ? `${(seconds * 1000).toFixed(0)} ms` : `${seconds.toFixed(0)} s`;
}

export function duration(seconds) {
  let left = Math.max(Math.round(seconds), 0);
  const parts = [];
  for (const [unit, length] of [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]]) {
    const count = Math.floor(left / length);
    left -= count * length;
    if (count) parts.push(`${count} ${unit}`);
  }
  return parts.slice(0, 2).join(" ") || "0 s";
}

export const clock = (at) => new Date(at * 1000).toTimeString().slice(0, 8);

export const sum = (counts, names) => names.reduce((all, name) => all + (counts[name] ?? 0), 0);

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export function table(heads, rows) {
  const cell = (kind) => (text, place) => {
    const made = make(kind, heads[place].startsWith("#") ? { class: "n" } : {});
    made.append(text);
    return made;
  };
  const head = make("tr", {}, ...heads.map((text, place) => cell("th")(text.replace("#", ""), place)));
  const body = rows.map((row) => make("tr", {}, ...row.map(cell("td"))));
  return make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
}

export const show = (id, ...children) => document.getElementById(id).replaceChildren(...children);
export const say = (id, text) => {
  const element = document.getElementById(id);
  if (element.textContent !== text) element.textContent = text;
};
