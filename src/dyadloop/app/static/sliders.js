// One slider per number of a theory, with its unit; double use by keyboard: arrow keys move it, the button takes it back.
import { button, fill, make, shown } from "./dom.js";

let lastId = 0;

/** Sliders in groups; `moved(settled)` is called while one moves and once it is let go. */
export function sliders(scenario, described, moved) {
  const groups = new Map();
  for (const parameter of described.parameters) {
    if (!groups.has(parameter.group)) groups.set(parameter.group, []);
    groups.get(parameter.group).push(parameter);
  }
  const order = ["coefficients", "time constants", ...[...groups.keys()].filter((g) => g !== "coefficients" && g !== "time constants")];
  const room = make("div", {});
  const search = make("input", { type: "text", id: `find-${++lastId}`, placeholder: "such as trust", oninput: (event) => draw(event.target.value) });

  function draw(text) {
    const fits = (entry) => `${entry.id} ${entry.meaning}`.toLowerCase().includes(text.toLowerCase());
    fill(room, order.filter((name) => groups.has(name)).map((name) => {
      const entries = groups.get(name).filter(fits);
      if (!entries.length) return null;
      return make("details", { open: name === "coefficients" || text !== "" }, make("summary", {}, `${name} (${entries.length})`),
        make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": name }, entries.map((entry) => slider(scenario, entry, moved))));
    }));
  }

  draw("");
  const back = button("All as in the file", () => { scenario.values = {}; draw(search.value); moved(true); });
  return make("div", {}, make("div", { class: "row" }, make("div", { class: "field" }, make("label", { for: search.id }, "Find a number"), search), back), room);
}

function slider(scenario, { id, meaning, value, unit, low, high, step }, moved) {
  const here = scenario.values[id] ?? value;
  const name = `slider-${++lastId}`;
  const words = (number) => `${shown(number, 4)}${unit === "1" ? "" : ` ${unit}`}`;
  const output = make("output", { for: name }, words(here));
  const row = make("div", { class: `slider${id in scenario.values ? " changed" : ""}` });
  const input = make("input", { type: "range", id: name, min: Math.min(low, here), max: Math.max(high, here), step, value: here, "data-parameter": id, "aria-valuetext": words(here), "aria-describedby": `${name}-hint` });
  input.addEventListener("input", () => {
    const number = Number(input.value);
    if (Math.abs(number - value) < step / 2) delete scenario.values[id];
    else scenario.values[id] = number;
    row.classList.toggle("changed", id in scenario.values);
    fill(output, [words(number)]);
    input.setAttribute("aria-valuetext", words(number));
    moved(false);
  });
  input.addEventListener("change", () => moved(true));
  row.append(make("label", { for: name }, make("code", {}, id)), output, input, make("span", { class: "hint", id: `${name}-hint` }, meaning));
  return row;
}
