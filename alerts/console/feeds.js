// A source that stopped for many sectors: one item in the list of alerts, which opens to their cards.

import { badge, make, order, refill } from "./elements.js";
import { ngettext } from "./language.js";

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
    item.append(make("details"));
    item.firstElementChild.append(make("summary"), make("ol", "plain cards"));
    items.set(key, item);
  }
  const standing = state === "firing" ? severity : state;
  item.className = `card alert feed ${standing}`;
  const [summary, cards] = item.firstElementChild.children;
  const places = alerts.map((alert) => alert.place).sort().join(", ");
  refill(summary, badge(standing), make("h3", "", title(source, alerts)), make("p", "quiet", places));
  order(cards, alerts.map(cardOf));
  return item;
}

function title(source, alerts) {
  const dead = alerts.filter((alert) => !alert.cooling).length;
  if (!dead) {
    return ngettext("{source} sends again, for {n} sector", "{source} sends again, for {n} sectors", alerts.length, { source });
  }
  return ngettext("No data from {source} for {n} sector", "No data from {source} for {n} sectors", dead, { source });
}
