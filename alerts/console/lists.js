// What stands beside the alerts: sectors, controls in force, sinks, dead letters and deliveries.

import { draw, erase } from "./charts.js";
import { $, badge, button, make, order, refill } from "./elements.js";
import { buttons, sendAgain } from "./forms.js";
import { gettext } from "./language.js";
import { count, isBehind, moment, range, shortDay, signed, when, whole } from "./words.js";

export const gravity = { critical: 0, warning: 1, info: 2, pending: 3, calm: 4 };
const kinds = { silence: 0, route: 1 }; // of controls: what holds notices back comes first
const newest = (a, b) => (a.at < b.at ? 1 : -1);
const rows = {}; // kind -> id -> element, which carries its item

/** The element of a row: made once, so that focus and charts outlive an update. */
function rowOf(kind, item, tag) {
  rows[kind] ??= new Map();
  if (!rows[kind].has(item.id)) rows[kind].set(item.id, make(tag));
  const element = rows[kind].get(item.id);
  element.item = item;
  return element;
}

function showSector(sector) {
  const element = rowOf("sectors", sector, "li");
  let chart = element.querySelector(".chart");
  if (!chart) {
    chart = make("div", "chart");
    chart.setAttribute("role", "img");
    element.append(make("div", "top"), chart, make("p", "numbers"));
  }
  const [top, , numbers] = element.children;
  const name = make("h3", "", sector.title);
  name.title = `${sector.id} · ${sector.border}`;
  top.replaceChildren(name, make("span"));
  const seen = make("span");
  const expected = gettext("of {expected} expected", { expected: count(sector.expected) });
  seen.append(make("b", "", count(sector.observed)), ` ${expected}`);
  const period = sector.cadence === "day" ? shortDay(sector.period) : when(sector.cadence, sector.period);
  numbers.replaceChildren(seen, make("span", "", sector.closed ? period : gettext("{period} so far", { period })));
  chart.setAttribute("aria-label", gettext("{name}: {seen} seen, {expected} expected, normal {lower} to {upper}", {
    name: sector.title, seen: count(sector.observed), expected: count(sector.expected),
    ...range(sector),
  }));
  draw(chart, sector.line);
}

/** Mark the sectors whose data are older than those of the others. */
export function markBehind(newestData) {
  for (const element of rows.sectors?.values() ?? []) {
    const sector = element.item;
    const since = sector.no_data_since || (isBehind(sector, newestData) ? sector.as_of : "");
    element.className = `card sector ${sector.state}`;
    element.classList.toggle("behind", Boolean(since));
    element.firstElementChild.lastElementChild.replaceWith(since ? badge("old", gettext("no data")) : badge(sector.state));
    if (since) element.lastElementChild.lastElementChild.textContent = gettext("since {time}", { time: shortDay(since) });
  }
}

function showControl(control) {
  const element = rowOf("controls", control, "li");
  element.className = "card";
  const top = make("div", "top");
  top.append(make("b", "", control.effect), ...buttons("controls", control, control.id));
  refill(element, top, make("p", "quiet", signed(control.by, control.at, control.reason)));
}

function showSink(sink) {
  const element = rowOf("sinks", sink, "li");
  element.className = `card sink ${sink.state}`;
  const top = make("div", "top");
  top.append(make("b", "", sink.id), badge(sink.state));
  const last = sink.delivered_at && gettext("Last delivery {time} UTC.", { time: moment(sink.delivered_at) });
  const failing = { time: moment(sink.failing_since), reason: sink.reason };
  const text = {
    idle: [gettext("No delivery yet.")],
    ok: [last],
    failing: [gettext("Since {time} UTC: {reason}.", failing), last],
  }[sink.state];
  refill(element, top, make("span", "quiet", text.filter(Boolean).join(" ")));
}

function showDead(letter) {
  const element = rowOf("dead", letter, "li");
  element.className = "card";
  const again = button(gettext("Send again"), gettext("Send again to {sink}: {headline}", letter), () => sendAgain(letter, again));
  const line = make("div", "row");
  line.append(again, make("span", "quiet", signed(letter.sink, letter.at, letter.reason)));
  refill(element, make("b", "", letter.headline), line);
}

const outcomes = {
  delivered: gettext("delivered"), retry: gettext("retry"), refused: gettext("refused"), dead: gettext("dead"),
};

function showDelivery(delivery) {
  const element = rowOf("deliveries", delivery, "tr");
  const link = make("a", "", delivery.headline);
  link.href = `#alert-${delivery.alert}`;
  const notice = make("td");
  notice.append(link);
  const { detail } = delivery;
  const became = outcomes[delivery.outcome];
  const outcome = detail ? gettext("{outcome}: {detail}", { outcome: became, detail }) : became;
  element.replaceChildren(...[moment(delivery.at), delivery.sink, outcome].map((text) => make("td", "", text)), notice);
}

export const show = {
  sectors: showSector, controls: showControl, sinks: showSink, dead: showDead, deliveries: showDelivery,
};
const sorts = {
  sectors: (a, b) => gravity[a.state] - gravity[b.state] || a.id.localeCompare(b.id),
  controls: (a, b) => (kinds[a.kind] ?? 2) - (kinds[b.kind] ?? 2) || newest(a, b),
  sinks: (a, b) => (b.state === "failing") - (a.state === "failing") || a.id.localeCompare(b.id),
  dead: newest,
  deliveries: newest,
};
const lists = {
  sectors: $("sector-list"), controls: $("control-list"), sinks: $("sink-list"), dead: $("dead-list"), deliveries: $("delivery-list"),
};

/** How many are shown, and of how many if not all. */
export const ofAll = (shown, all) =>
  shown === all ? whole(all) : gettext("{shown} of {all}", { shown: whole(shown), all: whole(all) });

/** Put the rows of a kind in order, and count them. */
export function arrange(kind, isWanted = () => true) {
  const elements = [...(rows[kind]?.values() ?? [])].filter(({ item }) => item.kind !== "ack"); // those are on their alerts
  const shown = elements.filter(({ item }) => isWanted(item)).sort((a, b) => sorts[kind](a.item, b.item));
  order(lists[kind], shown);
  const none = $(`${kind}-none`);
  if (none) none.hidden = shown.length > 0;
  const total = $(`${kind}-count`);
  if (total) total.textContent = ofAll(shown.length, elements.length);
}

export function remove(kind, id) {
  const element = rows[kind]?.get(id);
  const chart = element?.querySelector(".chart");
  if (chart) erase(chart);
  element?.remove();
  rows[kind]?.delete(id);
}
