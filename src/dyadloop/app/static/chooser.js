// Which theory is shown: a preset or a file, a hypothesis, and optional parts.
import { field, make, select } from "./dom.js";
import { ask } from "./server.js";

let presets = null;
const files = new Map();

/** The shipped theories, asked for once. */
export async function shipped() {
  presets ??= (await ask("/api/theories")).presets;
  return presets;
}

/** What the server says of a choice. */
export function describe(choice) {
  return ask("/api/theory", pick(choice));
}

/** Only what names a theory. */
export function pick({ theory, hypothesis = null, on = [] }) {
  return { theory, hypothesis, on };
}

/** The hypotheses of a theory in the order of their numbers. */
function ordered(hypotheses) {
  return [...hypotheses].sort((a, b) => a.id.localeCompare(b.id, undefined, { numeric: true }));
}

let lastName = 0;

/** One of several as pills; options are [value, text, title] triples. */
export function pills(legend, options, chosen, onchange) {
  const name = `pills-${++lastName}`;
  return make("fieldset", { class: "choices" }, make("legend", {}, legend), options.map(([value, text, title = null]) =>
    make("label", { title }, make("input", { type: "radio", name, value, checked: value === chosen, onchange: () => onchange(value) }), text)));
}

async function bring(file, onchange, failed) {
  try {
    const { theory, title } = await ask("/api/theories/brought", { name: file.name, text: await file.text() });
    files.set(theory, `${file.name}: ${title}`);
    onchange({ theory, hypothesis: null, on: [] });
  } catch (error) {
    failed(error);
  }
}

/** The controls; `onchange` is told the new choice. */
export function chooser(choice, described, onchange, failed) {
  const known = presets.map(({ id, title }) => [id, `${id}: ${title}`]);
  for (const [id, text] of files) known.push([id, text]);
  if (!known.some(([id]) => id === choice.theory)) known.push([choice.theory, described.title]);
  const theories = select(known, choice.theory, (theory) => onchange({ theory, hypothesis: null, on: [] }));
  const file = make("input", { type: "file", accept: ".yaml,.yml,.json", onchange: (event) => event.target.files[0] && bring(event.target.files[0], onchange, failed) });
  const parts = [make("div", { class: "row" }, field("Theory", theories), field("or a theory file", file))];
  if (described.hypotheses.length) {
    const options = ordered(described.hypotheses).map(({ id, name, title }) => [name, `${id} ${name.replaceAll("_", " ")}`, title]);
    parts.push(pills("Hypothesis", [["", "whole file"], ...options], choice.hypothesis ?? "", (name) => onchange({ ...choice, hypothesis: name || null })));
  }
  if (described.switches.length) {
    parts.push(make("details", {}, make("summary", {}, "Optional parts"), described.switches.map(({ id, title, on }) => {
      const box = make("input", { type: "checkbox", checked: on, onchange: (event) => {
        const others = (choice.on ?? []).filter((name) => name !== id);
        onchange({ ...choice, on: event.target.checked ? [...others, id] : others });
      } });
      return make("div", {}, make("label", {}, box, ` ${title}`));
    })));
  }
  return make("div", {}, parts);
}
