// Asks for everything once a second while the page is seen, and draws what changed.

import { ask, Refused, signIn } from "./api.js";
import { overTime, peerMap, short } from "./charts.js";
import { follow } from "./log.js";
import { bytes, duration, make, number, percent, SAVING, say, show, SOURCES, sum, table, took } from "./words.js";

const EVERY = 1000;
const TOP = 12;
let days = 1;
const drawn = new Map();

// Draw a part only if what it shows has changed, so that what one reads or has selected stays.
function changed(part, value) {
  const text = JSON.stringify(value);
  if (drawn.get(part) === text) return false;
  drawn.set(part, text);
  return true;
}

function tiles(stats) {
  const answers = sum(stats.totals, SOURCES);
  say("rate", percent(stats.calls_saved, answers));
  say("saved", number(stats.calls_saved));
  say("answers", number(answers));
  say("upstream", number(stats.totals.upstream ?? 0));
  say("served", bytes(stats.totals.bytes_served ?? 0));
  say("records", number(stats.store.records));
  say("store", `records kept (${bytes(stats.store.bytes)})`);
}

function sources(totals, latency) {
  if (!changed("sources", [totals, latency])) return;
  const answers = sum(totals, SOURCES);
  const rows = SOURCES.map((name) => {
    const timed = latency[name];
    const count = totals[name] ?? 0;
    return [
      make("span", { class: name }, name),
      make("span", { "data-source": name }, number(count)),
      percent(count, answers),
      timed ? took(timed.p50) : "·",
      timed ? took(timed.p99) : "·",
    ];
  });
  show("sources", table(["source", "#answers", "#", "#half within", "#99 % within"], rows));
}

function budgets(known) {
  if (!known.length) return show("budgets", make("p", { class: "quiet" }, "none known yet"));
  const parts = known.map((budget) => {
    const label = `${budget.resource} (${budget.site}, token ${budget.token})`;
    const left = duration(budget.reset - Date.now() / 1000);
    const low = budget.remaining * 10 < budget.limit;
    const meter = make("meter", { min: 0, max: budget.limit, low: budget.limit / 10, value: budget.remaining, "aria-label": label });
    const said = `${number(budget.remaining)} of ${number(budget.limit)} left; full again in ${left}`;
    return make("div", {}, make("p", {}, label), meter, make("p", { class: low ? "low" : "quiet" }, said));
  });
  return show("budgets", ...parts);
}

function peers(told) {
  const why = told.why ? `: ${told.why}` : "";
  say("peers-state", told.state === "on" ? `${told.members} connected` : `${told.state}${why}`);
  if (!changed("peers", told.peers)) return;
  if (!told.peers.length) return void (show("map"), show("peers"));
  show("map", peerMap(told.peers));
  const rows = told.peers.map((peer) => [
    make("span", { title: peer.id, class: peer.banned ? "low" : "" }, short(peer)),
    peer.banned ? `banned: ${peer.why}` : peer.scopes.join(", "),
    peer.rtt ? took(peer.rtt) : "·",
    make("span", { title: `${number(peer.records_in)} records` }, bytes(peer.bytes_in)),
    make("span", { title: `${number(peer.records_out)} records` }, bytes(peer.bytes_out)),
  ]);
  show("peers", table(["peer", "teams", "#round trip", "#in", "#out"], rows));
}

function grouped(rows, name) {
  const groups = new Map();
  for (const row of rows) {
    const all = groups.get(row[name]) ?? { answers: 0, saved: 0, bytes: 0 };
    all.answers += sum(row, SOURCES);
    all.saved += sum(row, SAVING);
    all.bytes += row.bytes ?? 0;
    groups.set(row[name], all);
  }
  const sorted = [...groups].sort(([, one], [, two]) => two.saved - one.saved || two.answers - one.answers);
  return sorted.slice(0, TOP).map(([key, all]) => [
    key, number(all.answers), number(all.saved), percent(all.saved, all.answers), bytes(all.bytes),
  ]);
}

function history(told) {
  const width = Math.max(document.getElementById("chart").clientWidth, 280);
  if (!changed("history", [told, width])) return;
  show("chart", overTime(told, width));
  const rows = told.flatMap((day) => day.rows);
  const heads = ["#answers", "#saved", "#of all", "#served"];
  show("routes", table(["route", ...heads], grouped(rows, "route")));
  show("callers", table(["program", ...heads], grouped(rows, "caller")));
}

async function look() {
  const [stats, status, mesh, told, latency] = await Promise.all([
    ask("stats"), ask("status"), ask("peers"), ask(`history?days=${days}`), follow(),
  ]);
  document.querySelector("main").hidden = false;
  tiles(stats);
  sources(stats.totals, latency);
  budgets(status.budgets);
  peers(mesh);
  history(told.days);
  const state = document.getElementById("state");
  state.className = "";
  say("state", `version ${status.version}, up for ${duration(Date.now() / 1000 - status.since)}`);
  document.querySelector("main").dataset.drawn = "yes";
}

async function often() {
  try {
    if (!document.hidden) await look();
  } catch (error) {
    const gone = error instanceof Refused;
    if (gone) document.querySelector("main").hidden = true;
    document.getElementById("state").className = "bad";
    say("state", gone ? "This address is used up. For a new one: gh p2pcache dashboard" : "The daemon does not answer. It may have started anew: gh p2pcache dashboard");
    if (gone) return;
  }
  setTimeout(often, EVERY);
}

for (const button of document.querySelectorAll("[data-days]")) {
  button.addEventListener("click", () => {
    days = Number(button.dataset.days);
    for (const other of document.querySelectorAll("[data-days]")) {
      other.setAttribute("aria-pressed", other === button);
    }
    look().catch(() => {});
  });
}

await signIn().catch(() => {});
await often();
