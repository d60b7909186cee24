// Asks the gateway. The address has a ticket in its fragment, which no server log, no Referer and no
// other page gets to see; it becomes a session, kept for this origin and tab alone.

const PLACE = "p2pcache-session";

export class Refused extends Error {}

export async function signIn() {
  const ticket = location.hash.slice(1);
  if (ticket && ticket !== "log") {
    history.replaceState(null, "", location.pathname);
    const told = await ask("session", { ticket });
    sessionStorage.setItem(PLACE, told.session);
  }
}

export async function ask(name, asked) {
  const headers = { "X-P2PCache-Session": sessionStorage.getItem(PLACE) ?? "" };
  const options = { headers, cache: "no-store", credentials: "omit" };
  if (asked !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(asked);
  }
  const answer = await fetch(`api/${name}`, options);
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 403 || answer.status === 404) throw new Refused(told.error ?? "refused");
  if (!answer.ok) throw new Error(told.error ?? `HTTP ${answer.status}`);
  return told;
}
