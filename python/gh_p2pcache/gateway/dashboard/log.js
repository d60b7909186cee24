// The last calls as they happen, and why one is answered as it is.

import { ask } from "./api.js";
import { bytes, clock, duration, make, say, show, took } from "./words.js";

const KEPT = 200;
const SHOWN = 60;
let calls = [];
let last = 0;
let filter = "";
let paused = false;

export async function follow() {
  const told = await ask(`activity?after=${last}`);
  const anew = told.last < last;
  last = told.last;
  if (told.calls.length || anew) {
    calls = [...told.calls.reverse(), ...(anew ? [] : calls)].slice(0, KEPT);
    if (!paused) draw(told.calls.length);
  }
  return told.latency;
}

function draw(fresh = 0) {
  const newest = new Set(calls.slice(0, fresh).map((call) => call.n));
  const body = document.getElementById("calls");
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.n : null;
  const shown = calls.filter(matches).slice(0, SHOWN);
  body.replaceChildren(...shown.map((call) => row(call, newest.has(call.n))));
  if (focused) body.querySelector(`button[data-n="${focused}"]`)?.focus();
  document.getElementById("no-calls").hidden = calls.length > 0;
}

const named = (call) => {
  const host = call.host === "api.github.com" ? "" : call.host;
  return `${call.method} ${host}${call.target}${call.status < 400 ? "" : ` (${call.status})`}`;
};

const matches = (call) =>
  !filter || `${call.source} ${call.caller} ${named(call)} ${call.route}`.toLowerCase().includes(filter);

function row(call, fresh) {
  const button = make("button", { type: "button", "data-n": call.n, title: "why?" }, named(call));
  button.addEventListener("click", () => why(call));
  return make(
    "tr",
    fresh ? { class: "new" } : {},
    make("td", {}, clock(call.at)),
    make("td", { class: call.source }, call.source),
    make("td", { class: "n" }, took(call.seconds)),
    make("td", { class: "n" }, bytes(call.bytes)),
    make("td", {}, call.caller),
    make("td", {}, button),
  );
}

async function why(call) {
  let told;
  try {
    told = await ask("explain", { n: call.n });
  } catch (error) {
    told = { request: named(call), next: error.message };
  }
  const held = told.held;
  const rows = [
    ["call", told.request],
    ["then", `${call.source}, ${took(call.seconds)}, for ${call.caller}`],
    ["route", told.route],
    ["profile", told.profile],
    ["kept", told.kept === undefined ? "" : told.kept ? "yes" : `no: ${told.why}`],
    ["for", { team: "every token of the team", "this token": "this token alone" }[told.scope]],
    ["access", told.access],
    ["rule", told.rule],
    ["fresh for", told.kept ? (told.fresh_for ? duration(told.fresh_for) : "asked of GitHub every time") : ""],
    ["held", held ? `HTTP ${held.status}, ${bytes(held.bytes)}, ${duration(held.age)} old` : told.kept ? "nothing" : ""],
    ["CID", held?.cid],
    ["peer", told.peer ? `${told.peer.id} (access ${told.peer.access})` : ""],
    ["next call", told.next],
  ];
  const said = rows.filter(([, text]) => text);
  show("why", ...said.flatMap(([label, text]) => [make("dt", {}, label), make("dd", {}, String(text))]));
  document.getElementById("explain").showModal();
}

document.getElementById("filter").addEventListener("input", (event) => {
  filter = event.target.value.toLowerCase();
  draw();
});

document.getElementById("pause").addEventListener("click", (event) => {
  paused = !paused;
  event.target.setAttribute("aria-pressed", paused);
  say("pause", paused ? "go on" : "pause");
  draw();
});
