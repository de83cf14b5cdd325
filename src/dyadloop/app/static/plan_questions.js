// What can be asked of a design: what it can tell, what simulated studies come to, where to spend, and a draft.
import { button, field, fill, make, note, select } from "./dom.js";
import { ask } from "./server.js";

/** The questions. `allow(true)` opens them once the design has no faults. */
export function questions(design, offered, refresh, output) {
  const message = make("div", { "aria-live": "polite" });
  const buttons = [];
  async function begin(kind, values) {
    fill(message, []);
    try {
      await ask("/api/plans/ask", { design, [kind]: values });
      fill(message, [note("Started; the answer comes below.")]);
      await refresh();
    } catch (error) {
      fill(message, [note(error.message, "fault")]);
    }
  }
  const press = (words, act, main = false) => {
    const one = button(words, act, { class: main ? "main" : null });
    buttons.push(one);
    return one;
  };
  const dyads = make("input", { type: "text", value: "", placeholder: "20, 40, 80" });
  const replicates = make("input", { type: "number", value: 100, min: 1, max: 5000, step: 1 });
  const truths = [["prior", "drawn from the priors"], ["none", "nothing acts"], ["common_cause", "a common cause drives all"]];
  const boxes = truths.map(([name, words], place) => make("label", {}, make("input", { type: "checkbox", value: name, checked: place === 0 }), words));
  let claim = offered.claims.includes("C2.trust") ? "C2.trust" : offered.claims[0];
  const budgets = make("input", { type: "text", value: "40000, 80000, 160000" });
  const simulate = () => {
    const chosen = boxes.map((box) => box.firstChild).filter((input) => input.checked).map((input) => input.value);
    if (!chosen.length) fill(message, [note("Choose what is true in the simulated studies.", "warning")]);
    else if (replicates.reportValidity()) begin("assurance", { truths: chosen, replicates: Number(replicates.value), dyads: numbers(dyads.value) });
  };
  const element = make("div", {},
    make("section", { class: "panel" }, make("h3", {}, "What could it tell?"),
      make("p", {}, "Before any data: what each claim could be known by, what stays untold, and which parameters the data would hardly inform. About half a minute."),
      press("Ask what it can tell", () => begin("identifiability", {}), true)),
    make("section", { class: "panel" }, make("h3", {}, "How often would it find out?"),
      make("p", {}, "Simulates many studies of this design, fits and judges each as a real one, and counts the verdicts. Minutes to hours; it can be stopped and resumed."),
      make("div", { class: "fields" }, field("Numbers of dyads to compare", dyads, "empty: that of the design"), field("Simulated studies of each", replicates, "100 gives shares to about 5 points")),
      make("div", { class: "checks", role: "group", "aria-label": "What is true in the simulated studies" }, boxes), make("p", {}, press("Simulate studies", simulate))),
    make("section", { class: "panel" }, make("h3", {}, "Where should the money go?"),
      make("p", {}, "For each budget the best number of dyads and the best sessions to take samples in. It needs samples and costs in the design. About half a minute for each budget."),
      make("div", { class: "fields" }, field("Claim to know best", select(offered.claims, claim, (value) => { claim = value; })), field("Budgets", budgets, "in the currency of the design")),
      make("p", {}, press("Find the schedules", () => begin("frontier", { claim, budgets: numbers(budgets.value) })))),
    make("section", { class: "panel" }, make("h3", {}, "Registration draft"),
      make("p", {}, "Question, plan, analysis, decision rules, and what would contradict each claim, as a text to complete. It takes the numbers of simulated studies where these have been made."),
      press("Save a registration draft", () => save(design, output, message))),
    message);
  return { element, allow: (open) => buttons.forEach((one) => { one.disabled = !open; }) };
}

async function save(design, output, message) {
  fill(message, [note("Writing the draft …")]);
  try {
    const told = await ask("/api/plans/registration", { design, assurance: output.assurance() });
    const { download } = await import("./dom.js");
    download(told.name, told.text, "text/markdown");
    fill(message, [note(`${told.name} was saved.`)]);
  } catch (error) {
    fill(message, [note(error.message, "fault")]);
  }
}

function numbers(typed) {
  return (typed.match(/\d+(?:\.\d+)?/g) ?? []).map(Number);
}
