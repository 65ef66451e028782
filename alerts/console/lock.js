// Who reads and writes: somebody who is signed in, or whoever has the shared token. The buttons at the top show it.

import { $ } from "./elements.js";
import { gettext } from "./language.js";

const NOBODY = { name: "", role: null, sign_in: "" };
let me = NOBODY;
let refusal = 0; // the status with which the server refuses everything; 0: it does not

export const token = () => sessionStorage.getItem("token");
export const isSignedIn = () => Boolean(me.name);

/** Show who is signed in. */
export function showWho(found) {
  [me, refusal] = [found, 0];
  show();
}

/** Show that nobody is signed in any more (401), or somebody without a role (403). */
export function showRefused(status) {
  [me, refusal] = [NOBODY, status];
  show();
}

export function unlock(given) {
  sessionStorage.setItem("token", given);
  show();
}

export function lock() {
  sessionStorage.removeItem("token");
  show();
}

function show() {
  $("sign-out").hidden = !(refusal === 403 || (isSignedIn() && me.sign_in));
  $("lock").hidden = refusal === 403;
  $("lock").disabled = isSignedIn();
  $("lock").textContent = label();
  $("lock").setAttribute("aria-pressed", String(Boolean(token())));
}

function label() {
  const role = me.role ?? gettext("no role");
  if (isSignedIn()) return `${me.name} (${role})`;
  if (refusal === 401 || (me.sign_in && !token())) return gettext("Sign in…");
  return token() ? gettext("Lock writing") : gettext("Unlock writing…");
}

/** End the session here. What the page showed goes; the provider asks for the password again. */
async function signOut() {
  const answer = await fetch("/auth/logout", { method: "POST", credentials: "same-origin" });
  if (answer.status === 404) {
    $("link").textContent = gettext("The proxy in front of this page has signed you in: sign out there.");
    return;
  }
  const isOpen = (await fetch("/api/forms", { credentials: "same-origin" })).ok;
  location.assign(isOpen ? "/" : "/auth/login?prompt=login");
}

/** Follow the button of the lock; `ask` asks for the shared token. */
export function whenPressed(ask) {
  $("sign-out").addEventListener("click", signOut);
  $("lock").addEventListener("click", () => {
    if (refusal === 401) return location.assign("/"); // which leads to the provider, where there is one
    if (token()) return lock();
    return me.sign_in ? location.assign(me.sign_in) : ask();
  });
  show();
}
