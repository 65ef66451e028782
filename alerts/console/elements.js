// Making elements. Text is set by textContent alone, so whatever comes in is shown and never run.

import { gettext } from "./language.js";

const states = {
  critical: gettext("critical"), warning: gettext("warning"), info: gettext("info"), pending: gettext("pending"),
  calm: gettext("calm"), resolved: gettext("resolved"), ok: gettext("ok"), idle: gettext("idle"), failing: gettext("failing"),
};

export const $ = (id) => document.getElementById(id);

export function make(tag, className = "", text = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.textContent = text;
  return element;
}

export function button(text, label, act) {
  const element = make("button", "", text);
  element.type = "button";
  element.setAttribute("aria-label", label);
  element.addEventListener("click", act);
  return element;
}

/** A state as an icon and a word; colour only repeats it. */
export function badge(state, text = states[state]) {
  const element = make("span", `state ${state}`);
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${state}`);
  icon.append(use);
  element.append(icon, document.createTextNode(text));
  return element;
}

/** Put fresh content into `element` and keep the keyboard's place: focus returns to the control of that label. */
export function refill(element, ...content) {
  const held = element.contains(document.activeElement) && document.activeElement.getAttribute("aria-label");
  element.replaceChildren(...content);
  if (held) [...element.querySelectorAll("button, summary")].find((b) => b.getAttribute("aria-label") === held)?.focus();
}

/** Show these elements in `list`, in this order, moving only those that are not in their place. */
export function order(list, elements) {
  elements.forEach((element, at) => {
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
  });
  while (list.children.length > elements.length) list.lastElementChild.remove();
}
