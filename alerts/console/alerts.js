// The alerts: one card each, what stands first.

import { $, badge, button, make, order, refill } from "./elements.js";
import { buttons } from "./forms.js";
import { count, day, parts, percent, slice, sureness, when } from "./words.js";

const gravity = { critical: 0, warning: 1, info: 2 };
const lists = { firing: $("alert-list"), pending: $("pending-list"), resolved: $("over-list") };
const cards = new Map(); // id -> element
const OPEN_AT_FIRST = 3; // critical alerts whose evidence is open at once

export const standing = (alert) => (alert.state === "firing" ? alert.severity : alert.state);
const newest = (a, b) => b.updated.localeCompare(a.updated);
const sorts = {
  severity: (a, b) => gravity[a.severity] - gravity[b.severity] || b.size - a.size || newest(a, b),
  size: (a, b) => b.size - a.size || newest(a, b),
  time: (a, b) => b.onset.localeCompare(a.onset) || newest(a, b),
};
const groups = { border: (alert) => alert.border, sector: (alert) => alert.place, question: (alert) => alert.title };
const nameOf = (alert) => (alert.subject ? `${alert.name}, ${slice(alert.subject)}` : alert.name);

export function showAlert(alert) {
  let card = cards.get(alert.id);
  if (!card) {
    card = make("li");
    card.id = `alert-${alert.id}`;
    card.dataset.id = alert.id;
    card.tabIndex = -1;
    card.append(make("div", "head"), evidence(alert));
    cards.set(alert.id, card);
  }
  card.alert = alert;
  const isMarked = card.classList.contains("marked");
  card.className = `card alert ${standing(alert)}`;
  card.classList.toggle("marked", isMarked);
  const name = nameOf(alert);
  const top = make("div", "top");
  top.append(badge(standing(alert)), make("span", "quiet", `since ${when(alert.cadence, alert.onset)}`));
  const heading = make("h3", "", name);
  heading.style.setProperty("--question", alert.colour);
  refill(card.firstElementChild, top, heading, make("p", "figure", alert.figures), marks(alert), actions(alert, name));
  const details = card.lastElementChild;
  details.firstElementChild.setAttribute("aria-label", `Evidence of ${name}`);
  if (details.open) fillEvidence(details, alert);
}

/** Who takes care of it, who silenced it, and whether it is on its way out. */
function marks(alert) {
  const line = make("p", "marks");
  const mark = (text) => line.append(make("span", "mark", text));
  if (alert.cooling) mark(`Cooling down: ${alert.cooling}`);
  if (alert.acknowledged_by) mark(`Taken by ${alert.acknowledged_by}${found(alert)}`);
  if (alert.silenced_by) mark(`Silenced by ${alert.silenced_by}`);
  if (alert.expired) mark("No more data about it");
  return line;
}

function found(alert) {
  return alert.assessment ? `: ${alert.assessment.replaceAll("_", " ")}` : "";
}

function actions(alert, name) {
  const line = make("div", "row");
  if (alert.state === "resolved") return line;
  const without = alert.acknowledged_by ? "acknowledge" : "";
  line.append(...buttons("alerts", alert, name).filter((one) => one.dataset.kind !== without));
  if (alert.acknowledged_by) {
    const control = { id: `ack/${alert.id}`, effect: `${alert.acknowledged_by} takes care of ${name}` };
    line.append(...buttons("controls", control, `acknowledgement of ${name}`, "Hand back…"));
  }
  return line;
}

function evidence(alert) {
  const details = make("details");
  details.append(make("summary", "", "Evidence"), make("div"));
  details.addEventListener("toggle", () => details.open && fillEvidence(details, details.parentElement.alert));
  const critical = [...cards.values()].filter((card) => standing(card.alert) === "critical");
  details.open = standing(alert) === "critical" && critical.length < OPEN_AT_FIRST;
  return details;
}

function fillEvidence(details, alert) {
  const { latest, worst } = alert;
  const list = make("dl");
  const add = (term, text) => text && list.append(make("dt", "", term), make("dd", "", text));
  const window = latest.window > 1 ? `${latest.window} ${alert.cadence}s` : `one ${alert.cadence}`;
  add("Normal range", `${count(latest.lower)} to ${count(latest.upper)} in ${window}`);
  add("Last period", when(alert.cadence, alert.period));
  add("Worst", worst.observed !== latest.observed && `${count(worst.observed)}, expected ${count(worst.expected)}`);
  add("How sure", sureness(latest));
  add("Reported so far", latest.share_arrived < 1 && `about ${percent(latest.share_arrived)} of the period`);
  add("Last as high", latest.record ? "never before" : latest.last_as_high && day(latest.last_as_high));
  add("Who", parts(latest.slices));
  add("Neighbours", parts(latest.neighbours));
  add("Capacity", latest.capacity && `${count(latest.capacity)} a day${latest.full_at ? `, full ${day(latest.full_at)}` : ""}`);
  add("Source", latest.source);
  add("Remark", latest.remark);
  add("Baseline", latest.baseline);
  list.append(make("dt", "", "Id"), identity(alert));
  refill(details.lastElementChild, list);
}

/** The id, to be copied for `surgewatch ack`, as a permalink. */
function identity(alert) {
  const place = make("dd", "id");
  const link = make("a", "", alert.id);
  link.href = `#alert-${alert.id}`;
  const copy = button("Copy", `Copy the id of ${nameOf(alert)}`, async () => {
    try {
      await navigator.clipboard.writeText(alert.id);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(link); // no clipboard without TLS: Ctrl-C does it
    }
  });
  place.append(link, copy);
  return place;
}

export function removeAlert(id) {
  cards.get(id)?.remove();
  cards.delete(id);
}

/** Put the cards in order, in groups where they are wanted; return how many are shown and how many there are. */
export function arrangeAlerts(isWanted) {
  const alerts = [...cards.values()].map((card) => card.alert).filter(isWanted);
  const shown = {};
  for (const [state, list] of Object.entries(lists)) {
    const those = alerts.filter((alert) => alert.state === state).sort(sorts[$("sort").value]);
    order(list, state === "resolved" ? those.map((alert) => cards.get(alert.id)) : grouped(those));
    shown[state] = those.length;
  }
  return shown;
}

function grouped(alerts) {
  const groupOf = groups[$("group").value];
  if (!groupOf) return alerts.map((alert) => cards.get(alert.id));
  const byName = new Map();
  alerts.forEach((alert) => byName.set(groupOf(alert), [...(byName.get(groupOf(alert)) ?? []), alert]));
  return [...byName].flatMap(([name, members]) => {
    const heading = make("li", "group", `${name || "no border"} `);
    heading.append(make("span", "count", members.length));
    return [heading, ...members.map((alert) => cards.get(alert.id))];
  });
}

export function highlight(ids) {
  ids.forEach((id) => cards.get(id)?.classList.add("fresh"));
}

/** Scroll to an alert, open and mark it; return whether it is on the page. */
export function openAlert(id) {
  const card = [...cards.values()].find((one) => one.alert.id.startsWith(id));
  if (!card) return false;
  document.querySelectorAll(".marked").forEach((other) => other.classList.remove("marked"));
  card.classList.add("marked");
  card.closest("details")?.setAttribute("open", "");
  card.lastElementChild.open = true;
  fillEvidence(card.lastElementChild, card.alert);
  if (location.hash === `#${card.id}`) location.replace(location.href); // what came later becomes :target now
  card.scrollIntoView({ block: "start" });
  card.focus({ preventScroll: true });
  return true;
}
