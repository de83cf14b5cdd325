// What takes longer and waits for a button: a branch along a number, and two pushes together.
import { button, field, fill, make, note, select, shown } from "./dom.js";
import { ask } from "./server.js";
import { asked } from "./scenario.js";
import { cells, figure, line, points, range, rule, simulatedSign } from "./marks.js";

/** Do what takes a while and say for how long it has. */
async function waiting(place, words, act) {
  const began = performance.now();
  const said = make("p", { class: "busy", role: "status" }, `${words} …`);
  fill(place, [said]);
  const clock = setInterval(() => fill(said, [`${words}, ${Math.round((performance.now() - began) / 1000)} s`]), 500);
  try {
    await act();
  } catch (error) {
    fill(place, [note(error.message, "fault")]);
  } finally {
    clearInterval(clock);
  }
}

function numberField(label, value, set) {
  const input = make("input", { type: "number", step: "any", value: String(value), onchange: (event) => set(Number(event.target.value)) });
  return { input, whole: field(label, input) };
}

/** A branch of equilibria, or of the calendar's fixed point, with the place of the scenario on it. */
export function branchPanel(scenarioOf, described) {
  const parameters = described.parameters.filter((entry) => !/^(sd|between|start)_/.test(entry.id) && entry.group !== "inputs");
  if (!parameters.length) return null;
  let chosen = parameters.find((entry) => entry.id === "secretion" || entry.id === "bias_oxytocin") ?? parameters[0];
  let [low, high] = [chosen.low, chosen.high];
  // with sessions in it a theory settles from session to session; in one that never ends all would saturate
  let of = described.arrows.some((arrow) => arrow.gate === "session") ? "calendar" : "equilibrium";
  let found = null;
  let drawnRange = null;
  const room = make("div", {});
  const lowField = numberField("from", low, (value) => { low = value; });
  const highField = numberField("to", high, (value) => { high = value; });
  const parameter = select(parameters.map((entry) => [entry.id, entry.id]), chosen.id, (id) => {
    chosen = parameters.find((entry) => entry.id === id);
    [low, high] = [chosen.low, chosen.high];
    lowField.input.value = String(low);
    highField.input.value = String(high);
  });
  const kind = select([["equilibrium", "a session that never ends"], ["calendar", "the calendar (up to a minute)"]], of, (value) => { of = value; });

  function draw(variable) {
    const place = found.variables.indexOf(variable);
    const state = found.state[place];
    const unit = found.units[place];
    const chart = figure({
      width: 620, height: 280, title: `Simulated branch of ${variable} along ${chosen.id}`,
      caption: variable.replaceAll("_", " "),
      x: { range: drawnRange, label: chosen.unit === "1" ? chosen.id : `${chosen.id} [${chosen.unit}]` }, y: { range: range([state]), label: unit === "1" ? "share" : unit },
    });
    for (let first = 0; first + 1 < found.parameter.length; first += 1) {
      const solid = found.stable[first] && found.stable[first + 1];
      line(chart, found.parameter.slice(first, first + 2), state.slice(first, first + 2), { colour: solid ? "var(--blue)" : "var(--red)", dash: solid ? null : "4 3", width: 2 });
    }
    points(chart, found.special_parameter, found.special_state[place] ?? [], { colour: "var(--amber)", texts: found.special });
    if (found.here !== null) {
      rule(chart, found.parameter[found.here], "you are here");
      points(chart, [found.parameter[found.here]], [state[found.here]], { colour: "var(--ink)", radius: 5 });
    }
    const view = select(found.variables.map((name) => [name, name.replaceAll("_", " ")]), variable, draw);
    const folds = found.special.map((name, index) => `${name} at ${shown(found.special_parameter[index])}`);
    const stable = found.stable.every(Boolean);
    fill(room, [field("Variable", view), chart.svg, make("p", {}, folds.length ? `Marked: ${folds.join(", ")}. ` : "No fold and no Hopf point in this range. ", stable ? "Stable throughout." : "Dashed red is not stable.")]);
  }

  async function follow() {
    await waiting(room, "following the branch", async () => {
      drawnRange = [low, high];
      found = await ask("/api/branch", { ...asked(scenarioOf()), parameter: chosen.id, low, high, of });
      draw(found.variables.find((name) => name === "trust" || name === "oxytocin") ?? found.variables[0]);
    });
  }

  return make("section", { class: "panel", "aria-label": "Branch" }, make("h2", {}, "Where it can settle ", simulatedSign()),
    make("div", { class: "row" }, field("Number", parameter), lowField.whole, highField.whole, field("Rhythm", kind), button("Follow the branch", follow, { class: "main" })), room);
}

const NULLS = { additive: "response additivity", bliss: "Bliss independence", loewe: "Loewe additivity", hsa: "highest single push" };

/** Two components pushed together against four nulls. */
export function synergyPanel(scenarioOf, described) {
  const components = described.variables.filter((entry) => entry.kind === "component" && entry.dynamics === "state").map((entry) => entry.id);
  const parameters = described.parameters.filter((entry) => /^(level|bias|a|secretion|gamma|tau)_?/.test(entry.id));
  if (components.length < 2 || !parameters.length || !described.variables.some((entry) => entry.id === "oxytocin")) return null;
  let [first, second] = components;
  let chosen = parameters.find((entry) => entry.id === "bias_oxytocin" || entry.id === "secretion") ?? parameters[0];
  const room = make("div", {});
  const act = () => waiting(room, "pushing two components, alone and together", async () => {
    const found = await ask("/api/synergy", { ...asked(scenarioOf()), first, second, parameter: chosen.id, low: chosen.low, high: chosen.high, baselines: 5 });
    const rows = found.baseline.map((value) => `${chosen.id} ${shown(value)}`);
    const columns = found.dose.map((value) => `push ${shown(value)}`);
    fill(room, [make("div", { class: "figures" }, Object.entries(found.nulls).map(([name, values]) => make("figure", { class: "plain" },
      make("figcaption", {}, NULLS[name]),
      cells(values, rows, columns, { title: `Simulated excess of oxytocin over ${NULLS[name]}`, wide: 58, top: 22, marked: name === "additive" ? found.misleading : null })))),
      make("p", { class: "hint" }, "Rise of oxytocin under both pushes beyond what each null says, at three sizes of the push [unit of the components' levels]. Blue is more than the null says, red less. A cross marks where a 2 × 2 design would have misled about the mechanism. An empty cell: no excess, or none that this null can tell.")]);
  });
  return make("section", { class: "panel", "aria-label": "Synergy" }, make("h2", {}, "Two pushes together ", simulatedSign()),
    make("div", { class: "row" },
      field("First", select(components, first, (value) => { first = value; })), field("Second", select(components, second, (value) => { second = value; })),
      field("From baselines of", select(parameters.map((entry) => entry.id), chosen.id, (id) => { chosen = parameters.find((entry) => entry.id === id); })),
      button("Compare with four nulls (a minute)", act, { class: "main" })), room);
}
