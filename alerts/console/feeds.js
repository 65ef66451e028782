// A source that stopped for many sectors: one item in the list of alerts, which opens to their cards.

import { badge, make, order, refill } from "./elements.js";
import { buttons } from "./forms.js";
import { gettext, ngettext } from "./language.js";
import { since } from "./words.js";

const items = new Map(); // list and source -> element

/** Return the elements of a list: the card of each alert, and one item for those about the same source. */
export function bySource(alerts, list, cardOf) {
  const about = new Map();
  for (const alert of alerts) {
    const { source } = alert.latest;
    if (source) about.set(source, [...(about.get(source) ?? []), alert]);
  }
  const isFirst = (alert) => about.get(alert.latest.source)[0] === alert;
  const isAlone = (alert) => (about.get(alert.latest.source)?.length ?? 0) < 2;
  return alerts
    .filter((alert) => isAlone(alert) || isFirst(alert))
    .map((alert) => (isAlone(alert) ? cardOf(alert) : itemOf(list, about.get(alert.latest.source), cardOf)));
}

function itemOf(list, alerts, cardOf) {
  const { latest: { source }, severity, state } = alerts[0]; // the gravest, or what the list is sorted by
  const key = `${list} ${source}`;
  let item = items.get(key);
  if (!item) {
    item = make("li", "");
    item.append(make("details"), make("div", "row"));
    item.firstElementChild.append(make("summary"), make("ol", "plain cards"));
    items.set(key, item);
  }
  const standing = state === "firing" ? severity : state;
  item.className = `card alert feed ${standing}`;
  const [summary, cards] = item.firstElementChild.children;
  const places = alerts.map((alert) => alert.place).sort().join(", ");
  const name = title(source, alerts);
  const eldest = alerts.reduce((one, other) => (other.onset < one.onset ? other : one));
  const top = make("span", "top");
  top.append(badge(standing), make("span", "quiet", gettext("since {time}", { time: since(eldest.cadence, eldest.onset) })));
  refill(summary, top, make("h3", "", name), make("p", "quiet", places));
  refill(item.lastElementChild, ...actions(alerts, name));
  order(cards, alerts.map(cardOf));
  return item;
}

/** The buttons for all sectors at once; those that somebody takes care of keep who it is. */
function actions(alerts, name) {
  if (alerts.every((alert) => alert.state === "resolved")) return [];
  const free = alerts.filter((alert) => !alert.acknowledged_by);
  const ofKind = (rows, isWanted) => buttons("alerts", rows, name).filter((one) => isWanted(one.dataset.kind === "acknowledge"));
  return [...(free.length ? ofKind(free, (isTaking) => isTaking) : []), ...ofKind(alerts, (isTaking) => !isTaking)];
}

function title(source, alerts) {
  const dead = alerts.filter((alert) => !alert.cooling).length;
  if (!dead) {
    return ngettext("{source} sends again, for {n} sector", "{source} sends again, for {n} sectors", alerts.length, { source });
  }
  return ngettext("No data from {source} for {n} sector", "No data from {source} for {n} sectors", dead, { source });
}
