// The console. Everything shown is set by textContent; everything written goes out with the token as a header.

import { draw, erase } from "./charts.js";

const $ = (id) => document.getElementById(id);
const kinds = ["sectors", "alerts", "deliveries", "dead", "controls"];
const board = Object.fromEntries(kinds.map((kind) => [kind, new Map()]));
const rows = Object.fromEntries(kinds.map((kind) => [kind, new Map()])); // id -> element
const gravity = { critical: 0, warning: 1, info: 2, pending: 3, calm: 4, resolved: 5 };

// ---- words and figures ---------------------------------------------------------------------------------

const people = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const great = new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });
const short = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const count = (n) => (n == null ? "–" : Math.abs(n) < 10 ? fine.format(n) : people.format(n));
const moment = (iso) => (iso ? iso.slice(0, 16).replace("T", " ") : "–");
const day = (iso) => (iso ? iso.slice(0, 10) : "–");
const initials = new Set(["rcmp", "cbsa", "us"]);
const capital = (part) => (initials.has(part) ? part.toUpperCase() : part.charAt(0).toUpperCase() + part.slice(1));
const title = (id) => id.split("-").map(capital).join(" ");
const when = (cadence, iso) => (cadence === "hour" ? `${moment(iso)} UTC` : cadence === "month" ? iso.slice(0, 7) : day(iso));
const brief = ({ cadence, period }) => (cadence === "day" ? short.format(new Date(period)) : when(cadence, period));
const standing = (alert) => (alert.state === "resolved" ? "resolved" : alert.state === "pending" ? "pending" : alert.severity);

function sureness(evidence) {
  const p = evidence.p_value;
  const chance = p < 1e-15 ? "less than 1 in a quadrillion" : `1 in ${great.format(1 / p)}`;
  return `${chance} by chance (alarm: 1 in ${people.format(1 / Math.max(evidence.alpha, 1e-12))})`;
}

function times(evidence) {
  if (evidence.expected <= 0) return "";
  const ratio = evidence.observed / evidence.expected;
  return ` (${ratio >= 10 ? people.format(ratio) : fine.format(ratio)} times)`;
}

const slice = (name) => (name.includes("=") ? capital(name.split("=").pop().replaceAll("_", " ").toLowerCase()) : title(name));
const parts = (list) =>
  list.slice(0, 4).map((part) => `${slice(part.name)} ${count(part.observed)} (normal ${count(part.expected)})`).join(", ");

// ---- making elements -----------------------------------------------------------------------------------

function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

function button(text, label, act) {
  const element = make("button", "", text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  return element;
}

function badge(state, extra = "") {
  const element = make("span", "state");
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${state}`);
  icon.append(use);
  element.append(icon, document.createTextNode(state + extra));
  return element;
}

/** The row of `id`: made once, so that focus and charts outlive an update. */
function row(kind, id, tag) {
  let element = rows[kind].get(id);
  if (!element) {
    element = make(tag);
    rows[kind].set(id, element);
  }
  return element;
}

/** Put fresh content into `element` and keep the keyboard's place: focus returns to the like-named control. */
function refill(element, ...content) {
  const held = element.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  element.replaceChildren(...content);
  if (held) [...element.querySelectorAll("button")].find((b) => b.getAttribute("aria-label") === held)?.focus();
}

// ---- the five lists ------------------------------------------------------------------------------------

function showSector(sector) {
  const element = row("sectors", sector.id, "li");
  element.className = `card sector ${sector.state}`;
  let chart = element.querySelector(".chart");
  if (!chart) {
    chart = make("div", "chart");
    chart.setAttribute("role", "img");
    element.append(make("div", "top"), chart, make("p", "numbers"));
  }
  const [top, , numbers] = element.children;
  const name = make("h3", "", title(sector.id));
  name.title = `${sector.id} · ${sector.border}`;
  top.replaceChildren(name, badge(sector.state));
  const seen = make("span");
  seen.append(make("b", "", count(sector.observed)), ` of ${count(sector.expected)} expected`);
  numbers.replaceChildren(seen, make("span", "", brief(sector) + (sector.closed ? "" : " so far")));
  chart.setAttribute("aria-label",
    `${title(sector.id)}: ${count(sector.observed)} seen, ${count(sector.expected)} expected, normal ${count(sector.lower)} to ${count(sector.upper)}`);
  draw(chart, sector.line);
}

function showAlert(alert) {
  const element = row("alerts", alert.id, "li");
  const state = standing(alert);
  element.className = `card alert ${state}`;
  element.dataset.id = alert.id;
  const evidence = alert.latest;
  const where = title(alert.sector);
  const what = alert.title;
  const top = make("div", "top");
  top.append(
    badge(state, alert.acknowledged_by ? ` · taken by ${alert.acknowledged_by}` : ""),
    make("span", "quiet", when(alert.cadence, alert.period)),
  );
  const subject = alert.subject ? `, ${slice(alert.subject)}` : "";
  const figure = make("p", "figure");
  figure.append(make("b", "", count(evidence.observed)), ` seen, ${count(evidence.expected)} expected${times(evidence)}`);
  const heading = make("h3", "", `${what} at ${where}${subject}`);
  heading.style.setProperty("--question", alert.colour);
  refill(element, top, heading, figure, facts(alert), deeds(alert, `${what} at ${where}`));
}

function facts(alert) {
  const evidence = alert.latest;
  const list = make("dl");
  const say = (term, text) => text && list.append(make("dt", "", term), make("dd", "", text));
  say("Normal range", `${count(evidence.lower)} to ${count(evidence.upper)} in ${evidence.window > 1 ? `${evidence.window} ${alert.cadence}s` : `one ${alert.cadence}`}`);
  say("Since", when(alert.cadence, alert.onset));
  say("Worst", alert.worst.observed !== evidence.observed && `${count(alert.worst.observed)} seen, ${count(alert.worst.expected)} expected`);
  say("How sure", sureness(evidence) + (evidence.share_arrived < 1 ? `; ${people.format(evidence.share_arrived * 100)} % of the period is in` : ""));
  say("Last as high", evidence.record ? "never before" : evidence.last_as_high && day(evidence.last_as_high));
  say("Who", parts(evidence.slices));
  say("Neighbours", parts(evidence.neighbours));
  say("Capacity", evidence.capacity && `${count(evidence.capacity)} a day${evidence.full_at ? `, full ${day(evidence.full_at)}` : ""}`);
  say("Remark", evidence.remark);
  say("Held against", evidence.baseline);
  return list;
}

function deeds(alert, name) {
  const line = make("div", "row");
  if (alert.state === "resolved") return line;
  if (!alert.acknowledged_by) line.append(button("Acknowledge…", `Acknowledge ${name}`, () => openDialog("acknowledge", alert)));
  line.append(button("Silence…", `Silence ${name}`, () => openDialog("silence", alert)));
  return line;
}

function showDelivery(delivery) {
  const element = row("deliveries", delivery.id, "tr");
  const notice = delivery.detail ? `${delivery.notice} – ${delivery.detail}` : delivery.notice;
  element.replaceChildren(...[moment(delivery.at), delivery.sink, delivery.outcome, notice].map((text) => make("td", "", text)));
}

function showDead(letter) {
  const element = row("dead", letter.id, "li");
  element.className = "card";
  const again = button("Send again", `Send again to ${letter.sink}: ${letter.headline}`, () => resend(letter, again));
  const line = make("div", "row");
  line.append(again, make("span", "quiet", `${letter.sink} · ${moment(letter.at)} UTC`));
  refill(element, make("b", "", letter.headline), make("span", "", letter.reason), line);
}

function showControl(control) {
  const element = row("controls", control.id, "li");
  element.className = "card";
  const line = make("div", "row");
  line.append(
    button("Withdraw…", `Withdraw ${control.id}`, () => openDialog("withdraw", control)),
    make("span", "quiet", `${control.by} · ${moment(control.at)} UTC · ${control.reason}`),
  );
  refill(element, make("b", "", control.id), make("span", "", control.says), line);
}

const show = { sectors: showSector, alerts: showAlert, deliveries: showDelivery, dead: showDead, controls: showControl };
const newest = (a, b) => (a.at < b.at ? 1 : -1);
const order = {
  sectors: (a, b) => gravity[a.state] - gravity[b.state] || a.id.localeCompare(b.id),
  alerts: (a, b) => gravity[standing(a)] - gravity[standing(b)] || b.onset.localeCompare(a.onset) || a.id.localeCompare(b.id),
  deliveries: newest,
  dead: newest,
  controls: newest,
};
const lists = { sectors: $("sector-list"), alerts: $("alert-list"), deliveries: $("delivery-list"), dead: $("dead-list"), controls: $("control-list") };

// ---- filters, order, counts ----------------------------------------------------------------------------

function wanted(kind, item) {
  if (kind !== "sectors" && kind !== "alerts") return true;
  const id = kind === "sectors" ? item.id : item.sector;
  const state = kind === "sectors" ? item.state : standing(item);
  const [border, chosen, name] = [$("by-border").value, $("by-state").value, $("by-name").value.trim().toLowerCase()];
  return (!border || item.border === border) && (!chosen || state === chosen) && (!name || `${id} ${title(id)}`.toLowerCase().includes(name));
}

function arrange(kind) {
  const items = [...board[kind].values()].sort(order[kind]);
  const list = lists[kind];
  let shown = 0;
  items.forEach((item, at) => {
    const element = rows[kind].get(item.id);
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    element.hidden = !wanted(kind, item);
    shown += !element.hidden;
  });
  const none = $(`${kind}-none`);
  if (none) none.hidden = shown > 0;
  const total = $(`${kind}-count`);
  if (total) total.textContent = shown === items.length ? shown : `${shown} of ${items.length}`;
}

function summarise() {
  const open = [...board.alerts.values()].filter((alert) => alert.state === "firing");
  const part = (severity) => [make("b", "", open.filter((alert) => alert.severity === severity).length), ` ${severity}`];
  const asOf = [...board.sectors.values()].reduce((latest, sector) => (sector.as_of > latest ? sector.as_of : latest), "");
  const text = [...part("critical"), " · ", ...part("warning"), " · ", ...part("info"), ` · ${board.sectors.size} sectors`];
  if (asOf) text.push(` · counted up to ${moment(asOf)} UTC`);
  $("summary").replaceChildren(...text);
  const firing = open.length;
  document.title = firing ? `(${firing}) Surgewatch` : "Surgewatch";
}

function borders() {
  const known = new Set([...$("by-border").options].map((option) => option.value));
  const all = [...board.sectors.values(), ...board.alerts.values()].map((item) => item.border);
  for (const border of [...new Set(all)].sort()) {
    if (border && !known.has(border)) $("by-border").append(new Option(border, border));
  }
}

// ---- news from the worker ------------------------------------------------------------------------------

function take(news) {
  const before = news.whole ? null : new Set(board.alerts.keys());
  if (news.whole) kinds.forEach((kind) => keepOnly(kind, new Set(news[kind].map((item) => item.id))));
  news.gone.forEach(([kind, id]) => remove(kind, id));
  for (const kind of kinds) {
    for (const item of news[kind]) {
      board[kind].set(item.id, item);
      show[kind](item);
    }
    if (news.whole || news[kind].length || news.gone.length) arrange(kind);
  }
  borders();
  summarise();
  if (before) announce(news.alerts.filter((alert) => !before.has(alert.id)));
}

function remove(kind, id) {
  const element = rows[kind].get(id);
  const chart = element?.querySelector(".chart");
  if (chart) erase(chart);
  element?.remove();
  rows[kind].delete(id);
  board[kind].delete(id);
}

const keepOnly = (kind, ids) => [...board[kind].keys()].filter((id) => !ids.has(id)).forEach((id) => remove(kind, id));

function announce(fresh) {
  if (!fresh.length) return;
  fresh.forEach((alert) => rows.alerts.get(alert.id).classList.add("fresh"));
  const first = fresh.slice(0, 3).map((a) => `${a.title} at ${title(a.sector)}, ${standing(a)}`);
  $("news").textContent = `New: ${first.join("; ")}${fresh.length > 3 ? ` and ${fresh.length - 3} more` : ""}`;
}

function listen() {
  const stream = new EventSource("/api/events");
  const link = (text, lost) => {
    $("link").textContent = text;
    $("link").classList.toggle("lost", lost);
  };
  stream.onopen = () => link("live", false);
  stream.onerror = () => {
    link("connection lost, trying again", true);
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 3000);
  };
  stream.onmessage = (message) => take(JSON.parse(message.data));
}

// ---- writing -------------------------------------------------------------------------------------------

const token = () => sessionStorage.getItem("token");
const dialog = $("dialog");
const form = $("form");
let asking = { kind: "", alert: null, then: null };

function openDialog(kind, alert = null, then = null) {
  if (kind !== "token" && !token()) return openDialog("token", null, () => openDialog(kind, alert, then));
  asking = { kind, alert, then };
  for (const part of form.querySelectorAll("[data-for]")) {
    part.hidden = !part.dataset.for.split(" ").includes(kind);
    part.querySelectorAll("input, textarea, select").forEach((field) => (field.disabled = part.hidden));
  }
  const where = alert?.question && `${alert.title} at ${title(alert.sector)}`;
  $("dialog-title").textContent = {
    acknowledge: "Acknowledge", silence: "Silence", policy: "Policy date", capacity: "Capacity", sensitivity: "Sensitivity",
    route: "Route", withdraw: "Withdraw", token: "Unlock writing",
  }[kind];
  $("dialog-about").textContent = {
    acknowledge: `${where}: you take it on, and reminders stop.`,
    silence: `${where}: nobody is told of it for the time you give. It is still counted and shown.`,
    policy: "From this day on a new level is normal in these sectors.",
    capacity: "So many people a day are what this sector can take in.",
    sensitivity: "So many false alarms a month are accepted of this sector; * is each that has no budget of its own.",
    route: "What is that severe or more goes to these sinks. The name of a route that there is replaces it.",
    withdraw: `${alert?.id}: ${alert?.says}. This will hold no longer.`,
    token: "Whoever has the console's token may change what holds, and send again.",
  }[kind];
  $("dialog-fault").textContent = "";
  form.elements.by.value ||= sessionStorage.getItem("by") ?? "";
  dialog.showModal();
  form.querySelector("label:not([hidden]) :is(input, textarea):not([disabled])").focus();
}

const names = (text) => text.split(",").map((name) => name.trim()).filter(Boolean);

function request({ kind, alert }, fields) {
  const said = { kind, by: fields.by, reason: fields.reason };
  if (kind === "acknowledge") return { ...said, alert_id: alert.id };
  if (kind === "silence") return { ...said, sector: alert.sector, question: alert.question, hours: Number(fields.hours) };
  if (kind === "withdraw") return { ...said, key: alert.id };
  if (kind === "capacity") return { ...said, sector: fields.sector, people_per_day: Number(fields.people_per_day) };
  if (kind === "sensitivity") return { ...said, sector: fields.sector, false_alarms_per_month: Number(fields.false_alarms_per_month) };
  if (kind === "route") return { ...said, name: fields.name, sinks: names(fields.sinks), least: fields.least };
  return { ...said, name: fields.name, date: fields.date, sectors: names(fields.sectors) };
}

async function post(path, body) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${token()}` };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body), credentials: "omit" });
  if (answer.status === 401) lock();
  if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).says ?? `HTTP ${answer.status}`);
}

async function submit(event) {
  event.preventDefault();
  const fields = Object.fromEntries(new FormData(form));
  const { kind, then } = asking;
  if (kind === "token") {
    sessionStorage.setItem("token", fields.token.trim());
    form.elements.token.value = "";
    showLock();
    dialog.close();
    then?.();
    return;
  }
  sessionStorage.setItem("by", fields.by);
  try {
    await post("/api/ask", request(asking, fields));
    form.elements.reason.value = "";
    dialog.close();
    $("news").textContent = `${$("dialog-title").textContent}: accepted`;
  } catch (error) {
    $("dialog-fault").textContent = error.message;
  }
}

async function resend(letter, control) {
  if (!token()) return openDialog("token", null, () => resend(letter, control));
  control.disabled = true;
  try {
    await post(`/api/dead/${encodeURIComponent(letter.id)}/resend`, {});
    control.textContent = "Sent again";
  } catch (error) {
    control.disabled = false;
    control.textContent = `Send again (${error.message})`;
  }
}

function lock() {
  sessionStorage.removeItem("token");
  showLock();
}

function showLock() {
  $("lock").textContent = token() ? "Lock writing" : "Unlock writing…";
  $("lock").setAttribute("aria-pressed", String(Boolean(token())));
}

form.addEventListener("submit", submit);
$("cancel").addEventListener("click", () => dialog.close());
document.querySelectorAll("[data-ask]").forEach((ask) => ask.addEventListener("click", () => openDialog(ask.dataset.ask)));
$("lock").addEventListener("click", () => (token() ? lock() : openDialog("token")));
$("filters").addEventListener("input", () => ["sectors", "alerts"].forEach(arrange));
$("filters").addEventListener("submit", (event) => event.preventDefault());
showLock();
listen();
