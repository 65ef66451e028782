// The console: follows the board over one event stream, and shows it.

import { arrangeAlerts, highlight, openAlert, removeAlert, showAlert, standing } from "./alerts.js";
import { $, badge, make } from "./elements.js";
import { loadForms } from "./forms.js";
import { gettext, ngettext } from "./language.js";
import { fetchHistory, historyList } from "./history.js";
import { arrange, gravity, markBehind, ofAll, remove, show } from "./lists.js";
import { age, moment, whole } from "./words.js";

const OLD = 36; // hours after which data are marked as old
const beside = ["controls", "sinks", "dead", "deliveries"];
const kinds = ["alerts", "sectors", ...beside];
const board = Object.fromEntries(kinds.map((kind) => [kind, new Map()]));
let counts = {};
let isComplete = false; // no: the worker still reads the alerts of before its start

// ---- filters -------------------------------------------------------------------------------------------

const finds = (text) => text.toLowerCase().includes($("by-name").value.trim().toLowerCase());
const isOf = (item, state) =>
  (!$("by-border").value || item.border === $("by-border").value) && (!$("by-state").value || state === $("by-state").value);
const wanted = {
  sectors: (sector) => isOf(sector, sector.state) && finds(`${sector.id} ${sector.title}`),
  alerts: (alert) => isOf(alert, standing(alert)) && finds(`${alert.name} ${alert.title} ${alert.sector} ${alert.id}`),
};

const standingCount = () => (counts.critical ?? 0) + (counts.warning ?? 0) + (counts.info ?? 0);

function arrangeWanted() {
  const shown = arrangeAlerts(wanted.alerts);
  const stand = standingCount();
  $("alerts-count").textContent = ofAll(shown.firing, stand);
  $("pending-count").textContent = whole(shown.pending);
  $("over-count").textContent = whole(shown.resolved);
  $("pending").hidden = shown.pending === 0;
  $("over").hidden = shown.resolved === 0;
  $("alerts-none").hidden = shown.firing > 0 && isComplete;
  $("alerts-none").textContent = stand && isComplete ? gettext("No alert matches the filters.") : nothing();
  const firing = [...board.alerts.values()].filter((alert) => alert.state === "firing").length;
  $("alerts-more").hidden = stand <= firing;
  $("alerts-more").textContent = ngettext(
    "{n} more stands, less grave or smaller: see /api/alerts.", "{n} more stand, less grave or smaller: see /api/alerts.", stand - firing);
  $("sectors-none").textContent = board.sectors.size ? gettext("No sector matches the filters.") : gettext("No sectors yet.");
  arrange("sectors", wanted.sectors);
}

function clearFilters() {
  for (const id of ["by-border", "by-state", "by-name"]) $(id).value = "";
  arrangeWanted();
}

function offerBorders() {
  const known = new Set([...$("by-border").options].map((option) => option.value));
  const all = [...board.sectors.values(), ...board.alerts.values()].map((item) => item.border);
  for (const border of [...new Set(all)].sort()) {
    if (border && !known.has(border)) $("by-border").append(new Option(border, border));
  }
}

// ---- the top -------------------------------------------------------------------------------------------

function summarise() {
  const tiles = ["critical", "warning", "info"].map((severity) => {
    const tile = make("span", `tile ${severity}`);
    tile.append(make("b", "", isComplete ? whole(counts[severity] ?? 0) : "…"), badge(severity));
    tile.classList.toggle("none", !counts[severity]);
    return tile;
  });
  $("tiles").replaceChildren(...tiles);
  const asOf = newestData();
  const old = asOf && age(asOf, Date.now(), OLD);
  const reach = asOf ? gettext("Data up to {time} UTC", { time: moment(asOf) }) : gettext("No data yet");
  $("data").textContent = old ? `${reach}, ${old}` : reach;
  $("data").classList.toggle("old", Boolean(old));
  const firing = standingCount();
  const failing = [...board.sinks.values()].filter((sink) => sink.state === "failing").length;
  $("failing").hidden = !failing;
  $("failing").firstElementChild.textContent = ngettext("{n} sink is failing", "{n} sinks are failing", failing);
  document.title = firing ? `(${firing}) Surgewatch` : "Surgewatch";
}

/** What there is to say where no alert stands. */
function nothing() {
  if (!isComplete) return gettext("The alerts are still being read.");
  return newestData() ? gettext("No alerts. Everything counted is within its normal range.") : gettext("No alerts: no data yet.");
}

const newestData = () => [...board.sectors.values()].reduce((latest, { as_of }) => (as_of > latest ? as_of : latest), "");

// ---- news from the worker ------------------------------------------------------------------------------

function take(news) {
  counts = news.standing;
  isComplete = news.complete;
  if (news.whole) kinds.forEach((kind) => keepOnly(kind, new Set(news[kind].map((item) => item.id))));
  news.gone.forEach(([kind, id]) => drop(kind, id));
  for (const kind of kinds) {
    for (const item of news[kind]) {
      board[kind].set(item.id, item);
      kind === "alerts" ? showAlert(item) : show[kind](item);
    }
  }
  arrangeWanted();
  beside.forEach((kind) => arrange(kind));
  markBehind(newestData());
  offerBorders();
  summarise();
  if (isComplete) announceWorse();
}

function drop(kind, id) {
  board[kind].delete(id);
  kind === "alerts" ? removeAlert(id) : remove(kind, id);
}

const keepOnly = (kind, ids) => [...board[kind].keys()].filter((id) => !ids.has(id)).forEach((id) => drop(kind, id));

const rank = (state) => gravity[state] ?? gravity.calm; // what is graver comes first
let known = null; // the state of each alert when all were last there, also before the connection was lost

/** Announce the alerts that are graver than they were: they are new, begin to fire, or got worse. */
function announceWorse() {
  const alerts = [...board.alerts.values()];
  const fresh = known ? alerts.filter((alert) => rank(standing(alert)) < rank(known.get(alert.id))) : [];
  known = new Map(alerts.map((alert) => [alert.id, standing(alert)]));
  if (fresh.length) announce(fresh);
}

function announce(fresh) {
  highlight(fresh.map((alert) => alert.id));
  const first = fresh.slice(0, 3).map((alert) => `${alert.name}, ${badge(standing(alert)).textContent}`);
  const more = fresh.length > 3 ? ngettext("and {n} more", "and {n} more", fresh.length - 3) : "";
  const text = gettext("New: {alerts}", { alerts: first.join("; ") });
  $("news").textContent = `${text} ${more}`.trim();
}

// ---- permalinks ----------------------------------------------------------------------------------------

function followLink() {
  const id = decodeURIComponent(location.hash).match(/^#alert-([0-9a-f]+)$/)?.[1];
  if (!id) return;
  clearFilters();
  const isHere = openAlert(id);
  $("missing").hidden = isHere;
  if (!isHere) showPast(id);
}

/** Show an alert of the past from what was sent about it. */
async function showPast(id) {
  $("missing").textContent = gettext("Looking for alert {id}…", { id });
  try {
    const past = await fetchHistory(id);
    const last = past?.sent.at(-1);
    if (!last) {
      $("missing").textContent = gettext(
        "There is no alert {id} any more: nothing was sent about it in the last 400 days.", { id });
      return;
    }
    const heading = make("h3", "", last.headline);
    const line = make("p", "quiet", gettext(
      "Alert {id}, {sector}, since {time} UTC", { id, sector: past.alert.sector, time: moment(past.alert.onset) }));
    $("missing").replaceChildren(heading, line, historyList(past));
  } catch (error) {
    $("missing").textContent = gettext("Alert {id} could not be read: {error}", { id, error: error.message });
  }
}

// ---- the stream ----------------------------------------------------------------------------------------

const AGAIN = 3000; // ms after which a lost stream is tried again
const QUIET = 45_000; // ms without a sign of life, which comes every 15 s, after which a stream is lost

function link(text, isLost) {
  $("link").textContent = text;
  $("link").classList.toggle("lost", isLost);
  $("link").classList.toggle("live", !isLost);
}

/** Follow the board; whoever may not read it any more sees why, and not that the connection is lost. */
async function follow() {
  const refusal = await loadForms().catch(() => ""); // without forms the page still reads
  if (!refusal) return listen();
  link(board.sectors.size ? gettext("{reason}: what you see is old", { reason: refusal }) : refusal, true);
  setTimeout(follow, AGAIN * 10);
}

function listen() {
  const stream = new EventSource("/api/events");
  let isFirst = true;
  let quiet = 0;
  const isLost = () => link(gettext("connection lost, trying again: what you see is old"), true);
  const isAlive = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => { // a network that went away closes nothing
      stream.close();
      isLost();
      follow();
    }, QUIET);
  };
  stream.onopen = () => link(gettext("live"), false);
  stream.onerror = () => {
    isLost();
    if (stream.readyState !== EventSource.CLOSED) return;
    clearTimeout(quiet);
    setTimeout(follow, AGAIN);
  };
  stream.addEventListener("alive", isAlive);
  stream.onmessage = (message) => {
    isAlive();
    try {
      take(JSON.parse(message.data));
    } catch (error) {
      return link(gettext("This page cannot show everything: reload it. ({error})", { error: error.message }), true);
    }
    if (isFirst) followLink();
    isFirst = false;
  };
  isAlive();
}

// On a phone the filters are folded away, so that what stands comes first.
const narrow = matchMedia("(max-width: 52rem)");
const fold = () => ($("finder").open = !narrow.matches);
narrow.addEventListener("change", fold);
fold();

$("filters").addEventListener("input", arrangeWanted);
$("filters").addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", followLink);
setInterval(summarise, 60_000); // data grow old while nothing comes
follow();
