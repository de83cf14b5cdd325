// A design as native fields. The form writes into the design that it is given and says when something has changed.
import { button, field, fill, make, select } from "./dom.js";

const PHASES = [["before", "before the session"], ["within", "within it"], ["after", "after it"], ["between", "between sessions"]];
const ASSAYS = [["immunoassay_extracted", "immunoassay, extracted"], ["immunoassay_unextracted", "immunoassay, not extracted"], ["mass_spectrometry", "mass spectrometry"]];
const PRIORS = ["sceptical", "evidence", "flat"];
const GIVEN = [["session", "session: each dyad in some sessions"], ["dyad", "dyad: some dyads in all sessions"]];
const COSTS = [["fixed", "Fixed"], ["per_dyad", "Of a dyad"], ["per_session", "Of a session"], ["per_sample", "Of a sample"]];

/** The form of a design. */
export function designForm(design, offered, changed) {
  const boxes = { measures: make("div", {}), events: make("div", {}) };
  const form = {
    design, offered, changed,
    set: (holder, key) => (value) => { holder[key] = value; changed(); },
    redraw: () => {
      const focused = document.activeElement?.id;
      draw();
      if (focused) document.getElementById(focused)?.focus();
      changed();
    },
  };
  const draw = () => { fill(boxes.measures, listed("measures", measure, form)); fill(boxes.events, listed("events", event, form)); };
  draw();
  return make("form", { onsubmit: (submitted) => submitted.preventDefault() },
    whatItIs(form), howMany(form),
    make("details", { open: true }, make("summary", {}, "What is measured"), boxes.measures, more("measures", "One more measure of", offered.quantities, newMeasure, form)),
    make("details", { open: true }, make("summary", {}, "What is given"), make("p", { class: "hint" }, "Only what is drawn at random can tell whether something acts."),
      boxes.events, more("events", "One more event", offered.events, newEvent, form)),
    lost(form), costs(form), analysis(form));
}

function listed(kind, one, form) {
  return Object.entries(form.design[kind]).map(([name, entry]) => make("fieldset", {}, make("legend", {}, name), one(name, entry, form),
    button(`Remove ${name}`, () => { delete form.design[kind][name]; form.redraw(); })));
}

function more(kind, label, options, fresh, form) {
  let chosen = options[0];
  return make("div", { class: "row" }, field(label, select(options, chosen, (value) => { chosen = value; })),
    button("Add", () => {
      let name = chosen;
      for (let n = 2; name in form.design[kind]; n += 1) name = `${chosen}_${n}`;
      form.design[kind][name] = fresh(chosen);
      form.redraw();
    }));
}

function newMeasure(quantity) {
  const sample = quantity === "oxytocin";
  return { quantity, person: "patient", when: ["after"], sessions: "all", per_interval: 1, reliability: sample ? null : 0.6, assay: sample ? { method: "immunoassay_extracted" } : null };
}

function newEvent() {
  return { amount: 1, sessions: "all", by: "session", share: 0.5, randomised: true };
}

function measure(name, entry, form) {
  const phases = new Set([entry.when].flat());
  const tick = (phase) => (event_) => {
    if (event_.target.checked) phases.add(phase); else phases.delete(phase);
    entry.when = PHASES.map(([key]) => key).filter((key) => phases.has(key));
    form.redraw();
  };
  const boxes = PHASES.map(([phase, words]) => make("label", {}, make("input", { type: "checkbox", id: `${name}-${phase}`, checked: phases.has(phase), onchange: tick(phase) }), words));
  return [
    make("div", { class: "fields" },
      field("Measures", select(form.offered.quantities, entry.quantity, (value) => other(entry, value, form))),
      field("Of whom", select(["patient", "therapist"], entry.person, form.set(entry, "person"))),
      sessions(entry, form),
      entry.assay ? field("Assay", select(ASSAYS, entry.assay.method, form.set(entry.assay, "method")))
        : field("Reliability of changes", number(entry.reliability, 0, 1, 0.01, form.set(entry, "reliability")), "0 to 1; empty: estimated"),
      phases.has("between") ? field("Prompts between two sessions", number(entry.per_interval, 1, 200, 1, form.set(entry, "per_interval"))) : null),
    make("div", { class: "checks", role: "group", "aria-label": `When ${name} is measured` }, boxes),
  ];
}

/** Let a measure be of another quantity; a sample has an assay in place of a reliability. */
function other(entry, quantity, form) {
  const { assay, reliability } = newMeasure(quantity);
  const turned = (assay === null) !== (entry.assay === null);
  Object.assign(entry, { quantity }, turned ? { assay, reliability } : {});
  if (turned) form.redraw(); else form.changed();
}

function event(name, entry, form) {
  return make("div", { class: "fields" },
    field("Amount", number(entry.amount, 0, null, "any", form.set(entry, "amount")), name === "dose" ? "IU" : "size of the push"),
    field("Given by", select(GIVEN, entry.by, form.set(entry, "by"))),
    field("Share", number(entry.share, 0, 1, 0.05, form.set(entry, "share")), "of the sessions, or of the dyads"),
    sessions(entry, form),
    field("Drawn at random", make("input", { type: "checkbox", checked: entry.randomised, onchange: (event_) => form.set(entry, "randomised")(event_.target.checked) })));
}

function sessions(entry, form) {
  const shown = entry.sessions === "all" ? "all" : entry.sessions.join(", ");
  return field("Sessions", text(shown, (value) => form.set(entry, "sessions")(sessionsOf(value))), "all, or numbers such as 1, 4, 8");
}

function whatItIs({ design, set }) {
  return make("fieldset", {}, make("legend", {}, "What it is"), make("div", { class: "fields" },
    field("Name", text(design.name, set(design, "name")), "of the file"), field("Title", text(design.title, set(design, "title"))), field("Question", text(design.question, set(design, "question")))));
}

function howMany({ design, set }) {
  const plan = design.sessions;
  return make("fieldset", {}, make("legend", {}, "How many, how often"), make("div", { class: "fields" },
    field("Dyads", number(design.dyads, 2, 5000, 1, set(design, "dyads"))), field("Therapists", number(design.therapists, 1, 5000, 1, set(design, "therapists")), "empty: one for each dyad"),
    field("Sessions of a dyad", number(plan.count, 1, 500, 1, set(plan, "count"))), field("Distance of sessions", text(plan.every, set(plan, "every")), "such as 7 d"),
    field("Length of a session", text(plan.length, set(plan, "length")), "such as 50 min")));
}

function lost({ design: { missing }, set }) {
  return make("details", {}, make("summary", {}, "What is lost"), make("div", { class: "fields" },
    field("Share of values lost by chance", number(missing.values, 0, 0.99, 0.01, set(missing, "values"))), field("Share of dyads that end early", number(missing.dropout, 0, 0.99, 0.01, set(missing, "dropout")))));
}

function costs({ design, set }) {
  return make("details", {}, make("summary", {}, "Costs"), make("div", { class: "fields" },
    field("Currency", text(design.costs.currency, set(design.costs, "currency"))), COSTS.map(([key, words]) => field(words, number(design.costs[key], 0, null, "any", set(design.costs, key))))));
}

function analysis({ design: { analysis: asked }, offered, set }) {
  const rivals = [["", "as dyadloop run chooses it"], ...offered.hypotheses.map((one) => [one.name, `${one.name}: ${one.title}`])];
  return make("details", {}, make("summary", {}, "Analysis"), make("div", { class: "fields" },
    field("Hypothesis that is fitted", select(rivals, asked.hypothesis, set(asked, "hypothesis"))), field("Priors", select(PRIORS, asked.priors, set(asked, "priors")))));
}

function text(value, changed) {
  return make("input", { type: "text", value, oninput: (event) => changed(event.target.value) });
}

function number(value, min, max, step, changed) {
  return make("input", { type: "number", value, min, max, step, inputmode: "decimal", oninput: (event) => changed(event.target.value === "" ? null : Number(event.target.value)) });
}

function sessionsOf(typed) {
  const numbers = typed.match(/\d+/g);
  return numbers ? numbers.map(Number) : typed.trim() || "all";
}
