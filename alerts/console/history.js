// The history of one alert: what was sent to whom, and who did what. It is fetched when it is asked for.

import { button, make } from "./elements.js";
import { gettext } from "./language.js";
import { moment } from "./words.js";

/** Return the history of an alert; null where nothing is known of it. */
export async function fetchHistory(id) {
  const answer = await fetch(`/api/alerts/${id}/history`, { credentials: "same-origin" });
  if (answer.status === 404) return null;
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(found.error ?? `HTTP ${answer.status}`);
  return found;
}

/** A list of what was sent and done, oldest first. */
export function historyList({ sent, deeds }) {
  const rows = [
    ...sent.map(({ at, sink, headline }) => [at, sink, headline]),
    ...deeds.map(({ at, by, effect, reason }) => [at, by, gettext("{effect}: {reason}", { effect, reason })]),
  ].sort(([a], [b]) => a.localeCompare(b));
  const list = make("ol", "plain history");
  list.append(...rows.map(([at, who, text]) => {
    const row = make("li");
    row.append(make("span", "quiet", gettext("{time} UTC, {who}:", { time: moment(at), who })), ` ${text}`);
    return row;
  }));
  return rows.length ? list : make("p", "quiet", gettext("Nothing was sent about it, and nobody did anything."));
}

/** The place of a history, with the button that fetches it. */
export function historyPlace(id, name) {
  const place = make("div", "history-place");
  place.load = async () => {
    place.replaceChildren(make("p", "quiet", gettext("Reading the history…")));
    try {
      place.replaceChildren(historyList((await fetchHistory(id)) ?? { sent: [], deeds: [] }), again());
    } catch (error) {
      place.replaceChildren(make("p", "fault", error.message), again());
    }
  };
  const again = () => button(gettext("Read again"), gettext("Read again: history of {name}", { name }), place.load);
  place.append(button(gettext("History"), gettext("History of {name}", { name }), place.load));
  return place;
}
