// Plan: a design as a form, its faults at once, what it can tell, what simulated studies come to, and a draft.
import { button, download, fill, link, make, note } from "../dom.js";
import { ask, newest } from "../server.js";
import { jobBoard } from "../jobs.js";
import { designForm } from "../plan_form.js";
import { questions } from "../plan_questions.js";
import { planResults } from "../plan_results.js";

export async function show(main, state) {
  return state ? showDesign(main, decodeURIComponent(state)) : showList(main);
}

async function showList(main) {
  fill(main, [make("p", { role: "status" }, "Reading …")]);
  const designs = await ask("/api/designs");
  const cards = designs.map((one) => make("li", {}, link([
    make("strong", {}, one.title), make("span", {}, `${one.dyads} dyads, ${one.sessions_each} sessions, ${one.samples} samples`),
    make("span", {}, one.events.length ? `randomised or given: ${one.events.join(", ")}` : "nothing is randomised"),
    make("span", {}, one.source || "a design of this project")], `#/plan/${one.name}`, { class: "card" })));
  fill(main, [
    make("h1", {}, "Plan"),
    make("p", {}, "Plan the study that could decide: who is measured when, what is randomised, and what it could then tell of each claim before a single person is asked."),
    make("h2", {}, "Start from a design that is like yours"),
    make("p", {}, "You change every number afterwards. “Proposed” randomises, so that it can tell whether something acts; passive designs can show associations only."),
    make("ul", { class: "cards" }, cards),
  ]);
}

async function showDesign(main, name) {
  fill(main, [make("p", { role: "status" }, "Reading …")]);
  const found = await ask(`/api/designs/${encodeURIComponent(name)}`);
  const design = structuredClone(found.design);
  design.name = `my-${design.name}`.slice(0, 40);
  const verdict = make("div", { "aria-live": "polite" });
  const file = make("pre", {});
  const output = planResults(design);
  const asking = questions(design, found, () => board.refresh(), output);
  const check = newest(async () => {
    const told = await ask("/api/plans/check", { design });
    const { effort, currency } = told;
    fill(verdict, [note(`No faults. ${effort.sessions} sessions, ${effort.answers} answers, ${effort.samples} samples, ${Math.round(effort.cost).toLocaleString("en")} ${currency}.`)]);
    fill(file, [told.text]);
    asking.allow(true);
  }, (error) => {
    fill(verdict, [note(error.message, "fault")]);
    asking.allow(false);
  });
  let timer = null;
  const form = designForm(design, found, () => { clearTimeout(timer); timer = setTimeout(check, 250); });
  const board = jobBoard({
    belongs: (job) => ["identifiability", "assurance", "frontier"].includes(job.kind) && job.about === design.name,
    ended: output.ended,
    empty: "Nothing was asked yet.",
  });
  form.addEventListener("change", () => board.refresh());
  fill(main, [
    make("p", {}, link("← all designs", "#/plan")),
    make("h1", {}, "Your design"),
    make("p", {}, `Begun from: ${found.design.title}. Change what is different in your study; faults are told as you type.`),
    found.design.assumed.length ? make("details", {}, make("summary", {}, "What this design assumes"), make("ul", {}, found.design.assumed.map((text) => make("li", {}, text)))) : null,
    make("h2", {}, "1 The study"), form, verdict,
    make("details", {}, make("summary", {}, "The design as a file"), file, button("Save the design file", () => download(`${design.name}.yaml`, file.textContent, "text/yaml"))),
    make("h2", {}, "2 Ask"), asking.element,
    make("h2", {}, "3 Answers"), board.element, output.element,
  ]);
  check();
  return () => { clearTimeout(timer); board.leave(); };
}
