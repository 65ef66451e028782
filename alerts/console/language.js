// Messages in the language of the console. The server makes `messages.js` from its catalogue.

import { language, messages } from "./messages.js";

export { language };

const put = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
const isOne = (n) => (language === "fr" ? n < 2 : n === 1);

/** A message with its values. What the catalogue lacks stays English. */
export const gettext = (message, values = {}) => put(messages[message] ?? message, values);

/** A message in the form that the number asks for; {n} is the number. */
export const ngettext = (one, many, n, values = {}) =>
  put((messages[one] ?? [one, many])[isOne(n) ? 0 : 1], { n, ...values });
