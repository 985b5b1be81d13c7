/** Elements of the page. */

/** An element with attributes, listeners (`onclick`), and children (elements or text). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

let lastId = 0;

/** An id that no other element has. */
export function newId() {
  lastId += 1;
  return `id-${lastId}`;
}

/** A card with a heading, by which screen readers name it. */
export function card(title, ...children) {
  const id = newId();
  const heading = el("h2", { id }, title);
  return el("section", { class: "card", "aria-labelledby": id }, heading, ...children);
}

/** A slider with its label and value: {root, set(value), input}. */
export function slider({ label, min, max, step, value, format = String, onInput }) {
  const id = newId();
  const output = el("output", { for: id });
  const input = el("input", { id, type: "range", min, max, step });
  const root = el("div", { class: "slider" }, el("label", { for: id }, label), output, input);
  function show() {
    const text = format(Number(input.value));
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }
  function set(number) {
    if (number < Number(input.min)) input.min = Math.floor(number);
    if (number > Number(input.max)) input.max = Math.ceil(number);
    input.value = number;
    show();
  }
  input.addEventListener("input", () => {
    show();
    onInput(Number(input.value));
  });
  set(value);
  return { root, set, input };
}

/** A list to choose from with its label: {root, set(options, value), select}. */
export function picker({ label, options = [], value, onChange }) {
  const id = newId();
  const select = el("select", { id, onchange: () => onChange(select.value) });
  const root = el("div", { class: "picker" }, el("label", { for: id }, label), select);
  function set(choices, chosen) {
    select.replaceChildren(...choices.map(([key, text]) => el("option", { value: key }, text)));
    select.value = chosen;
  }
  set(options, value);
  return { root, set, select };
}

/** Several choices of which one holds, as radio buttons. */
export function choice({ legend, options, value, onChange }) {
  const name = newId();
  const buttons = options.map(([key, text]) =>
    el(
      "label",
      {},
      el("input", {
        type: "radio",
        name,
        value: key,
        checked: key === value,
        onchange: () => onChange(key),
      }),
      ` ${text}`,
    ),
  );
  return el("fieldset", { class: "choice" }, el("legend", {}, legend), ...buttons);
}

/** A box to tick with its label. */
export function checkbox({ label, checked, onChange }) {
  const input = el("input", {
    type: "checkbox",
    checked,
    onchange: () => onChange(input.checked),
  });
  return el("label", { class: "checkbox" }, input, ` ${label}`);
}

/** Replace the content of an element; a control that has the focus passes it to its successor. */
export function replaceContent(element, ...children) {
  const controls = () => [...element.querySelectorAll("input, select, button")];
  const focused = controls().indexOf(document.activeElement);
  element.replaceChildren(...children);
  controls()[focused]?.focus();
}

/** A button. */
export function button(text, onclick, attributes = {}) {
  return el("button", { type: "button", onclick, ...attributes }, text);
}

/** Say something that screen readers read when they are idle. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

/** Show an error, or hide the last one. */
export function showError(error) {
  const element = document.getElementById("error");
  element.hidden = error === null;
  element.textContent = error === null ? "" : error.message;
}

/** A function that runs once at a time, and after that with its latest arguments, if there are. */
export function latestOnly(run) {
  let waiting = null;
  let isRunning = false;
  return async function schedule(...values) {
    waiting = values;
    if (isRunning) return;
    isRunning = true;
    while (waiting !== null) {
      const next = waiting;
      waiting = null;
      try {
        await run(...next);
      } catch (error) {
        showError(error);
      }
    }
    isRunning = false;
  };
}

/** A number in few digits. */
export function formatNumber(value) {
  if (value === null || !Number.isFinite(value)) return "none";
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) {
    return value.toExponential(1);
  }
  return String(Number(value.toPrecision(3)));
}
