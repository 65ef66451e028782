// Figures and times as people read them. Names and headlines come from the server.

const people = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const fine = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const rough = new Intl.NumberFormat("en", { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 2 });
const dayOfYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const lengths = { hour: 1, day: 24, week: 168, month: 744 }; // hours

export const count = (n) => (n == null ? "–" : Math.abs(n) < 10 ? fine.format(n) : people.format(n));
export const percent = (share) => `${people.format(share * 100)} %`;
export const moment = (iso) => (iso ? iso.slice(0, 16).replace("T", " ") : "–");
export const day = (iso) => (iso ? iso.slice(0, 10) : "–");
export const shortDay = (iso) => dayOfYear.format(new Date(iso));

/** A period's start, as long as it has to be. */
export const when = (cadence, iso) =>
  cadence === "hour" ? `${moment(iso)} UTC` : cadence === "month" ? iso.slice(0, 7) : day(iso);

/** How far the chance is from an alarm. */
export function sureness({ p_value: p, alpha }) {
  const chance = p < 1e-15 ? "less than 1 in a quadrillion" : `1 in ${rough.format(1 / p)}`;
  return `${chance} by chance (alarm: 1 in ${people.format(1 / Math.max(alpha, 1e-12))})`;
}

/** "citizenship=HAITI" is Haiti; the id of a sector stays as it is. */
export function slice(name) {
  if (!name.includes("=")) return name;
  const text = name.split("=").pop().replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export const parts = (list) =>
  list.slice(0, 4).map((part) => `${slice(part.name)} ${count(part.observed)} (normal ${count(part.expected)})`).join(", ");

/** How long ago, in the largest unit that fits; empty below `hours`. */
export function age(iso, now, hours) {
  const passed = (now - new Date(iso)) / 3_600_000;
  if (!(passed >= hours)) return "";
  const [unit, length] = [["year", 8766], ["month", 730.5], ["day", 24], ["hour", 1]].find(([, long]) => passed >= long) ?? ["hour", 1];
  const n = Math.max(1, Math.floor(passed / length));
  return `${n} ${unit}${n > 1 ? "s" : ""} old`;
}

/** Whether a sector's data end more than two periods before the newest data of all. */
export const isBehind = (sector, newest) =>
  new Date(newest) - new Date(sector.as_of) > 2 * lengths[sector.cadence] * 3_600_000;
