// Writing: the forms that the server describes, filled in and sent with the token as a header.

import { $, button, make } from "./elements.js";
import { gettext } from "./language.js";
import { isSignedIn, lock, showRefused, showWho, token, unlock, whenPressed } from "./lock.js";

const dialog = $("dialog");
const form = $("form");
const TOKEN = {
  kind: "token", title: gettext("Unlock writing"),
  meaning: gettext("Whoever has the console's token may write. It is kept in this tab until you close it."),
  given: {}, fields: [{ name: "token", label: gettext("Token"), type: "password", required: true }],
};
const PATIENCE = 10_000; // ms for the server to answer
let described = { forms: [], names: {} };
let current = null; // {form, rows, then}

/** Fetch the forms that the server describes; returns why it shows nothing to whoever asks, "" where it does. */
export async function loadForms() {
  const answer = await fetch("/api/forms", { credentials: "same-origin", signal: AbortSignal.timeout(PATIENCE) });
  if ([401, 403].includes(answer.status)) {
    showRefused(answer.status);
    return (await answer.json()).error;
  }
  if (!answer.ok) return "";
  described = await answer.json();
  showWho(described.me);
  $("requests").replaceChildren(...buttons("", {}, ""));
  return "";
}

/** A button for each request about such a row, or about several at once. */
export function buttons(about, row, name, text = "") {
  return described.forms.filter((one) => one.about === about).map((one) => {
    const element = button(`${text || one.title}…`, `${text || one.title} ${name}`.trim(), () => openForm(one, row, name));
    element.dataset.kind = one.kind;
    return element;
  });
}

function openForm(which, row = {}, name = "", then = null) {
  if (which !== TOKEN && !isSignedIn() && !token()) return openForm(TOKEN, {}, "", () => openForm(which, row, name));
  current = { form: which, rows: [row].flat(), then };
  $("dialog-title").textContent = which.title;
  $("dialog-about").textContent = [row.effect ?? name, which.meaning].filter(Boolean).join(". ");
  $("dialog-fault").textContent = "";
  $("fields").replaceChildren(...which.fields.map(labelled));
  const by = form.elements.by;
  if (by) by.value = sessionStorage.getItem("by") ?? "";
  if (!dialog.open) dialog.showModal();
  $("fields").querySelector("input, textarea, select").focus();
}

function labelled(field) {
  const label = make("label", "", field.label);
  const input = { choice: choice, textarea: () => make("textarea") }[field.type]?.(field) ?? plain(field);
  input.name = field.name;
  input.required = field.required;
  input.placeholder = field.example ? gettext("e.g. {example}", { example: field.example }) : "";
  if (field.longest) input.maxLength = field.longest;
  if (field.value) input.value = field.value;
  label.append(input);
  return label;
}

function plain(field) {
  const input = make("input");
  input.type = field.type === "list" ? "text" : field.type;
  if (field.type === "number") Object.assign(input, { step: "any", min: field.min ?? "", max: field.max ?? "" });
  if (field.type === "password") input.autocomplete = "off";
  if (field.type === "text" && field.suggest) input.setAttribute("list", names(field.suggest));
  return input;
}

const choices = {
  critical: gettext("critical"), warning: gettext("warning"), info: gettext("info"),
  not_a_surge: gettext("not a surge"), bad_data: gettext("bad data"),
};

function choice(field) {
  const select = make("select");
  select.append(...described.names[field.suggest].map((name) => new Option(choices[name] ?? name, name)));
  return select;
}

/** The id of a list of names to choose from. */
function names(kind) {
  const id = `names-${kind}`;
  if (!$(id)) {
    const list = make("datalist");
    list.id = id;
    list.append(...described.names[kind].map((name) => new Option(name, name)));
    document.body.append(list);
  }
  return id;
}

const readers = {
  number: (text) => Number(text),
  list: (text) => text.split(",").map((name) => name.trim()).filter(Boolean),
};

function bodyOf(which, row) {
  const isSent = (field) => field.required || field.type === "list" || form.elements[field.name].value !== "";
  const filled = which.fields.filter(isSent);
  const typed = filled.map((field) => [field.name, (readers[field.type] ?? String)(form.elements[field.name].value)]);
  const given = Object.entries(which.given).map(([name, of]) => [name, row[of]]);
  return { kind: which.kind, ...Object.fromEntries([...given, ...typed]) };
}

async function submit(event) {
  event.preventDefault();
  if (current.form === TOKEN) return useToken(form.elements.token.value.trim());
  if (form.elements.by) sessionStorage.setItem("by", form.elements.by.value);
  $("send").disabled = true; // a second click sends nothing
  const refused = await postAll(current.form, current.rows);
  $("send").disabled = false;
  current.rows = refused.map(({ row }) => row);
  $("dialog-fault").textContent = [...new Set(refused.map(({ error }) => error.message))].slice(0, 3).join(" ");
  if (!refused.length) dialog.close();
}

/** Send a request about each row; return those that were refused. One that is over holds up no other. */
async function postAll(which, rows) {
  const refused = [];
  for (const [at, row] of rows.entries()) {
    try {
      const { effect } = await post("/api/controls", bodyOf(which, row));
      $("news").textContent = gettext("Accepted: {effect}", { effect });
    } catch (error) {
      if (!error.status || error.status === 401) return [...refused, ...rows.slice(at).map((other) => ({ row: other, error }))];
      refused.push({ row, error });
    }
  }
  return refused;
}

function useToken(given) {
  unlock(given);
  dialog.close();
  current.then?.();
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (!isSignedIn()) headers.Authorization = `Bearer ${token()}`;
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "same-origin" });
  const answered = await answer.json().catch(() => ({}));
  if (answer.status === 401) lock();
  if (!answer.ok) throw Object.assign(new Error(answered.error ?? `HTTP ${answer.status}`), { status: answer.status });
  return answered;
}

export async function sendAgain(letter, control) {
  if (!isSignedIn() && !token()) return openForm(TOKEN, {}, "", () => sendAgain(letter, control));
  control.disabled = true;
  try {
    await post(`/api/dead/${encodeURIComponent(letter.id)}/resend`, {});
    control.textContent = gettext("Sent again");
  } catch (error) {
    control.disabled = false;
    control.textContent = gettext("Send again ({error})", { error: error.message });
  }
}

form.addEventListener("submit", submit);
$("cancel").addEventListener("click", () => dialog.close());
whenPressed(() => openForm(TOKEN));
