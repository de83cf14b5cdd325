// Elements from data. Text is only ever set as text, so that no label or id can become markup.

const SVG = "http://www.w3.org/2000/svg";
const ALLOWED = /^(aria-[a-z]+|class|id|for|type|name|value|min|max|step|href|download|role|tabindex|scope|colspan|hidden|checked|selected|disabled|required|multiple|accept|open|list|inputmode|placeholder|title|lang|rows|target|rel|spellcheck|autocomplete|data-[a-z-]+)$/;

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
  return element;
}

/** An element with attributes, listeners (`onclick: f`) and children; texts become text nodes. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (ALLOWED.test(key)) element.setAttribute(key, value === true ? "" : String(value));
    else throw new Error(`${key}: no attribute that a page may set`);
  }
  return append(element, children);
}

/** An SVG element; presentation attributes stand in place of inline style, which the policy refuses. */
export function mark(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  if (name === "text") attributes = { fill: "var(--ink)", "font-size": 11, ...attributes };
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, String(value));
  }
  return append(element, children);
}

/** Replace what an element holds. */
export function fill(element, children) {
  element.replaceChildren();
  return append(element, [children]);
}

/** A link; only addresses within the app, DOIs and what a page made itself. */
export function link(text, href, attributes = {}) {
  const inside = /^(#|\/|blob:)/.test(href);
  if (!inside && !/^https:\/\/doi\.org\//.test(href)) return make("span", {}, text);
  const outside = inside ? {} : { target: "_blank", rel: "noopener noreferrer" };
  return make("a", { href, ...outside, ...attributes }, text);
}

/** A DOI as a link. */
export function doi(text) {
  return link(text, `https://doi.org/${encodeURI(text)}`);
}

/** A paragraph that is announced: kind is "fault", "warning" or "hint". */
export function note(text, kind = "hint") {
  return make("p", { class: `note ${kind}`, role: kind === "fault" ? "alert" : "note" }, text);
}

/** A table with a caption; cells are texts, numbers or nodes. */
export function table(caption, columns, rows, attributes = {}) {
  const head = make("tr", {}, columns.map((column) => make("th", { scope: "col" }, column)));
  const cell = (value, place) => make("td", { class: typeof value === "number" ? "number" : null, "data-label": columns[place + 1] }, value ?? "–");
  const body = rows.map(([first, ...others]) => make("tr", {}, make("th", { scope: "row" }, first), others.map(cell)));
  // three columns and more stand below each other where a page is narrow
  const grid = make("table", columns.length > 2 ? { class: "stack", ...attributes } : attributes, make("caption", {}, caption), make("thead", {}, head), make("tbody", {}, body));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption }, grid);
}

let lastId = 0;

/** A label with its field, joined by an id. */
export function field(label, input, hint = null) {
  if (!input.id) input.id = `field-${++lastId}`;
  const told = hint ? make("span", { class: "hint", id: `${input.id}-hint` }, hint) : null;
  if (told) input.setAttribute("aria-describedby", told.id);
  return make("div", { class: "field" }, make("label", { for: input.id }, label), input, told);
}

/** A choice; options are [value, text] pairs or texts. */
export function select(options, chosen, onchange) {
  const entries = options.map((option) => (Array.isArray(option) ? option : [option, option]));
  return make("select", { onchange: (event) => onchange(event.target.value) },
    entries.map(([value, text]) => make("option", { value, selected: value === chosen }, text)));
}

/** A button. */
export function button(text, onclick, attributes = {}) {
  return make("button", { type: "button", onclick, ...attributes }, text);
}

/** A number as a person reads it. */
export function shown(value, digits = 3) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3)) return value.toExponential(2);
  return String(Number(value.toPrecision(digits)));
}

/** Offer content as a file. */
export function download(name, content, kind = "text/plain") {
  const address = URL.createObjectURL(new Blob([content], { type: kind }));
  const anchor = make("a", { href: address, download: name });
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
