// Figures and times as people read them. Names and headlines come from the server.

import { gettext, language, ngettext } from "./language.js";

const people = new Intl.NumberFormat(language, { maximumFractionDigits: 0, useGrouping: "always" });
const fine = new Intl.NumberFormat(language, { maximumFractionDigits: 1, useGrouping: "always" });
const rough = new Intl.NumberFormat(language, { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });
const dayOfYear = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { day: "numeric", month: "short", timeZone: "UTC" });
const lengths = { hour: 1, day: 24, week: 168, month: 744 }; // hours

export const count = (n) => (n == null ? "–" : Math.abs(n) < 10 ? fine.format(n) : people.format(n));
const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
/** The smallest and largest count that is normal; rounded to the nearest, they would hold counts beyond them. */
export const range = ({ lower, upper }) => ({ lower: whole(Math.min(Math.ceil(lower), Math.floor(upper))), upper: whole(Math.floor(upper)) });
export const whole = (n) => people.format(n);
export const percent = (share) => shares.format(share);
const days = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
const months = new Intl.DateTimeFormat(language, { year: "numeric", month: "long", timeZone: "UTC" });
const moments = new Intl.DateTimeFormat(language, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: "UTC",
});
const written = (iso, format, inEnglish) => (!iso ? "–" : language === "en" ? inEnglish : format.format(new Date(iso)));
export const moment = (iso) => written(iso, moments, iso?.slice(0, 16).replace("T", " "));
export const day = (iso) => written(iso, days, iso?.slice(0, 10));
export const shortDay = (iso) => dayOfYear.format(new Date(iso));

/** A period's start, as long as it has to be. */
export const when = (cadence, iso) => (cadence === "month" ? written(iso, months, iso.slice(0, 7)) : since(cadence, iso));

/** The moment at which something began. */
export const since = (cadence, iso) => (cadence === "hour" ? `${moment(iso)} UTC` : day(iso));

/** Who did something, when, and what they wrote about it. */
export const signed = (who, iso, text) => gettext("{who}, {time} UTC: {text}", { who, time: moment(iso), text });

/** How far the chance is from an alarm. */
export function sureness({ p_value: p, alpha }) {
  const alarm = people.format(1 / Math.max(alpha, 1e-12));
  if (p < 1e-15) return gettext("less than 1 in a quadrillion by chance (alarm: 1 in {alarm})", { alarm });
  return gettext("1 in {odds} by chance (alarm: 1 in {alarm})", { odds: rough.format(1 / p), alarm });
}

export const parts = (list) =>
  list.slice(0, 4).map((part) => gettext("{name} {observed} (expected {expected})", {
    name: part.name, observed: count(part.observed), expected: count(part.expected),
  })).join(", ");

/** How long ago, in the largest unit that fits; empty below `hours`. */
export function age(iso, now, hours) {
  const passed = (now - new Date(iso)) / 3_600_000;
  if (!(passed >= hours)) return "";
  const n = (long) => Math.max(1, Math.floor(passed / long));
  if (passed >= 8766) return ngettext("{n} year old", "{n} years old", n(8766));
  if (passed >= 730.5) return ngettext("{n} month old", "{n} months old", n(730.5));
  if (passed >= 24) return ngettext("{n} day old", "{n} days old", n(24));
  return ngettext("{n} hour old", "{n} hours old", n(1));
}

/** Whether a sector's data end more than two periods before the newest data of all. */
export const isBehind = (sector, newest) =>
  new Date(newest) - new Date(sector.as_of) > 2 * lengths[sector.cadence] * 3_600_000;
