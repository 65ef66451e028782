// The alerts: one card each, what stands first.

import { $, badge, button, make, order, refill } from "./elements.js";
import { bySource } from "./feeds.js";
import { buttons } from "./forms.js";
import { historyPlace } from "./history.js";
import { gettext } from "./language.js";
import { count, day, parts, percent, range, since, sureness, when } from "./words.js";

const gravity = { critical: 0, warning: 1, info: 2 };
const lists = { firing: $("alert-list"), pending: $("pending-list"), resolved: $("over-list") };
const cards = new Map(); // id -> element
const OPEN_AT_FIRST = 3; // the most critical alerts whose evidence is open at first
let isArranged = false;

export const standing = (alert) => (alert.state === "firing" ? alert.severity : alert.state);
const isBlind = (alert) => Boolean(alert.latest.source); // whose source stopped: nobody knows what comes
const newest = (a, b) => b.updated.localeCompare(a.updated);
const sorts = {
  severity: (a, b) => gravity[a.severity] - gravity[b.severity] || isBlind(b) - isBlind(a) || b.size - a.size || newest(a, b),
  size: (a, b) => b.size - a.size || newest(a, b),
  time: (a, b) => b.onset.localeCompare(a.onset) || newest(a, b),
};
const groups = { border: (alert) => alert.border, sector: (alert) => alert.place, question: (alert) => alert.title };

export function showAlert(alert) {
  let card = cards.get(alert.id);
  if (!card) {
    card = make("li");
    card.id = `alert-${alert.id}`;
    card.dataset.id = alert.id;
    card.tabIndex = -1;
    card.append(make("div", "head"), evidence(alert));
    card.history = historyPlace(alert.id, alert.name);
    cards.set(alert.id, card);
  }
  card.alert = alert;
  const isMarked = card.classList.contains("marked");
  card.className = `card alert ${standing(alert)}`;
  card.classList.toggle("marked", isMarked);
  const { name } = alert;
  const top = make("div", "top");
  top.append(badge(standing(alert)), make("span", "quiet", gettext("since {time}", { time: since(alert.cadence, alert.onset) })));
  const heading = make("h3", "", name);
  heading.style.setProperty("--question", alert.colour);
  refill(card.firstElementChild, top, heading, make("p", "figure", alert.figures), marks(alert), actions(alert, name));
  const details = card.lastElementChild;
  details.firstElementChild.setAttribute("aria-label", gettext("Evidence of {name}", { name }));
  if (details.open) fillEvidence(details, alert);
}

/** Who takes care of it, who silenced it, and whether it is on its way out. */
function marks(alert) {
  const line = make("p", "marks");
  const mark = (text) => line.append(make("span", "mark", text));
  if (alert.cooling) mark(gettext("Cooling down: {progress}", { progress: alert.cooling }));
  if (alert.acknowledged_by) mark(taken(alert));
  if (alert.silenced_by) mark(gettext("Silenced by {person}", { person: alert.silenced_by }));
  if (alert.expired) mark(gettext("No more data about it"));
  return line;
}

const assessments = { not_a_surge: gettext("not a surge"), bad_data: gettext("bad data") };

function taken({ acknowledged_by: person, assessment }) {
  if (!assessment) return gettext("Taken by {person}", { person });
  return gettext("Taken by {person}: {found}", { person, found: assessments[assessment] });
}

function actions(alert, name) {
  const line = make("div", "row");
  if (alert.state === "resolved") return line;
  const without = alert.acknowledged_by ? "acknowledge" : "";
  line.append(...buttons("alerts", alert, name).filter((one) => one.dataset.kind !== without));
  if (alert.acknowledged_by) {
    const control = { id: `ack/${alert.id}`, effect: gettext("{person} takes care of {name}", { person: alert.acknowledged_by, name }) };
    line.append(...buttons("controls", control, gettext("acknowledgement of {name}", { name }), gettext("Hand back")));
  }
  return line;
}

function evidence(alert) {
  const details = make("details");
  details.append(make("summary", "", gettext("Evidence")), make("div"));
  details.addEventListener("toggle", () => details.open && fillEvidence(details, details.parentElement.alert));
  return details;
}

function fillEvidence(details, alert) {
  const { latest, worst } = alert;
  const list = make("dl");
  const add = (term, text) => text && list.append(make("dt", "", term), make("dd", "", text));
  const atWorst = { observed: count(worst.observed), expected: count(worst.expected) };
  add(gettext("Normal range"), gettext("{lower} to {upper} in {window}", { ...range(latest), window: alert.window }));
  add(gettext("Last period"), when(alert.cadence, alert.period));
  add(gettext("Worst"), worst.observed !== latest.observed && gettext("{observed}, expected {expected}", atWorst));
  add(gettext("How sure"), sureness(latest));
  const share = { share: percent(latest.share_reported) };
  add(gettext("Reported so far"), latest.share_reported < 0.995 && gettext("about {share} of the period", share));
  add(gettext("Last as high"), latest.record ? gettext("never before") : latest.last_as_high && day(latest.last_as_high));
  add(gettext("Who"), parts(latest.slices));
  add(gettext("Neighbours"), parts(latest.neighbours));
  add(gettext("Capacity"), latest.capacity && capacity(latest));
  add(gettext("Source"), latest.source);
  add(gettext("Remark"), latest.remark);
  add(gettext("Baseline"), latest.baseline);
  list.append(make("dt", "", gettext("Id")), identity(alert));
  refill(details.lastElementChild, list, details.parentElement.history);
}

function capacity(latest) {
  const people = count(latest.capacity);
  if (!latest.full_at) return gettext("{people} a day", { people });
  return gettext("{people} a day, full {day}", { people, day: day(latest.full_at) });
}

/** The id, to be copied for `surgewatch ack`, as a permalink. */
function identity(alert) {
  const place = make("dd", "id");
  const link = make("a", "", alert.id);
  link.href = `#alert-${alert.id}`;
  const copy = button(gettext("Copy"), gettext("Copy the id of {name}", { name: alert.name }), async () => {
    try {
      await navigator.clipboard.writeText(alert.id);
      copy.textContent = gettext("Copied");
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
    order(list, state === "resolved" ? those.map(cardOf) : grouped(those, state));
    shown[state] = those.length;
  }
  if (!isArranged) openFew(alerts.filter((alert) => standing(alert) === "critical"));
  isArranged ||= alerts.length > 0;
  return shown;
}

function openFew(critical) {
  if (critical.length <= OPEN_AT_FIRST) critical.forEach((alert) => { cardOf(alert).lastElementChild.open = true; });
}

const cardOf = (alert) => cards.get(alert.id);

function grouped(alerts, state) {
  const groupOf = groups[$("group").value];
  if (!groupOf) return bySource(alerts, state, cardOf);
  const byName = new Map();
  alerts.forEach((alert) => byName.set(groupOf(alert), [...(byName.get(groupOf(alert)) ?? []), alert]));
  return [...byName].flatMap(([name, members]) => {
    const title = name || gettext("no border");
    const heading = make("li", "group", `${title} `);
    heading.append(make("span", "count", members.length));
    return [heading, ...members.map(cardOf)];
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
  card.history.load();
  if (location.hash === `#${card.id}`) location.replace(location.href); // what came later becomes :target now
  card.scrollIntoView({ block: "start" });
  card.focus({ preventScroll: true });
  return true;
}
