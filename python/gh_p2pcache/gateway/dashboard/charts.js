// Charts as SVG, each with what it shows in words for who does not see it.

import { bytes, number, percent, SAVING, SOURCES, sum } from "./words.js";

const NS = "http://www.w3.org/2000/svg";

function draw(name, attributes, ...children) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const titled = (element, text) => (element.append(draw("title", {}, text)), element);

// One bar an hour of today, else one a day: [label, counts by source].
export function bars(days) {
  if (days.length === 1) {
    const hours = days[0].hours;
    return Array.from({ length: 24 }, (_, hour) => [`${hour}:00`, hours[hour] ?? {}]);
  }
  return days.map((day) => [day.day.slice(5), addUp(Object.values(day.hours))]);
}

export function addUp(many) {
  const all = {};
  for (const counts of many) {
    for (const [name, count] of Object.entries(counts)) all[name] = (all[name] ?? 0) + count;
  }
  return all;
}

export function overTime(days, width) {
  const [height, left, bottom, top, right] = [200, 44, 22, 8, 46];
  const shown = bars(days).map(([label, counts]) => {
    const answers = sum(counts, SOURCES);
    return { label, answers, saved: sum(counts, SAVING) };
  });
  const most = Math.max(1, ...shown.map((bar) => bar.answers));
  const step = (width - left - right) / shown.length;
  const y = (part) => top + (height - top - bottom) * (1 - part);
  const x = (place) => left + step * (place + 0.5);
  const all = addUp(shown.map(({ answers, saved }) => ({ answers, saved })));
  const words = `${number(all.saved)} of ${number(all.answers)} calls saved`;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": words });
  for (const part of [0, 0.5, 1]) {
    svg.append(
      draw("line", { class: "grid", x1: left, x2: width - right, y1: y(part), y2: y(part) }),
      draw("text", { x: left - 6, y: y(part) + 4, "text-anchor": "end" }, number(most * part)),
      draw("text", { x: width - right + 6, y: y(part) + 4 }, `${part * 100} %`),
    );
  }
  const points = [];
  const every = Math.ceil((shown.length * 48) / (width - left - right));
  shown.forEach((bar, place) => {
    const thick = Math.max(step * 0.7, 2);
    const group = draw("g", {});
    const box = (kind, from, to) =>
      draw("rect", { class: kind, x: x(place) - thick / 2, width: thick, y: y(to / most), height: y(from / most) - y(to / most) });
    group.append(box("bar-saved", 0, bar.saved), box("bar-asked", bar.saved, bar.answers));
    svg.append(titled(group, `${bar.label}: ${number(bar.saved)} of ${number(bar.answers)} saved (${percent(bar.saved, bar.answers)})`));
    if (bar.answers) points.push([x(place), y(bar.saved / bar.answers)]);
    if (place % every === 0) svg.append(draw("text", { x: x(place), y: height - 6, "text-anchor": "middle" }, bar.label));
  });
  svg.append(draw("polyline", { class: "rate-line", points: points.map((point) => point.join(",")).join(" ") }));
  for (const [cx, cy] of points) svg.append(draw("circle", { class: "rate-dot", cx, cy, r: 2.5 }));
  return svg;
}

// This machine in the middle; the more went between two, the thicker the line.
export function peerMap(peers) {
  const [width, height] = [420, 220];
  const words = peers.map((peer) => `${short(peer)}: ${bytes(peer.bytes_in)} in, ${bytes(peer.bytes_out)} out`);
  const label = `this machine and ${peers.length} peers. ${words.join("; ")}`;
  const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const [cx, cy] = [width / 2, height / 2];
  const most = Math.max(1, ...peers.map((peer) => peer.bytes_in + peer.bytes_out));
  peers.forEach((peer, place) => {
    const angle = (2 * Math.PI * place) / peers.length - Math.PI / 2;
    const [px, py] = [cx + Math.cos(angle) * 150, cy + Math.sin(angle) * 78];
    const thick = peer.banned ? 0 : 1 + (5 * (peer.bytes_in + peer.bytes_out)) / most;
    svg.append(
      draw("line", { class: "link", x1: cx, y1: cy, x2: px, y2: py, "stroke-width": thick }),
      titled(draw("circle", { class: peer.banned ? "node banned" : "node", cx: px, cy: py, r: 8 }), words[place]),
      draw("text", { x: px, y: py < cy ? py - 13 : py + 22, "text-anchor": "middle" }, short(peer)),
    );
  });
  svg.append(draw("circle", { class: "me", cx, cy, r: 11 }), draw("text", { x: cx, y: cy + 26, "text-anchor": "middle" }, "this machine"));
  return svg;
}

export const short = (peer) => `…${peer.id.slice(-6)}`;
