// A design as native fields. The form writes into the design that it is given and says when something has changed.
import { button, field, fill, make, select } from "./dom.js";

const PHASES = [["before", "before the session"], ["within", "within it"], ["after", "after it"], ["between", "between sessions"]];
const ASSAYS = [["immunoassay_extracted", "immunoassay, extracted"], ["immunoassay_unextracted", "immunoassay, not extracted"], ["mass_spectrometry", "mass spectrometry"]];
const PRIORS = ["sceptical", "evidence", "flat"];

/** The form of a design. */
export function designForm(design, offered, changed) {
  const set = (holder, key) => (value) => { holder[key] = value; changed(); };
  const measures = make("div", {});
  const events = make("div", {});
  const redraw = () => { fill(measures, list("measures")); fill(events, list("events")); changed(); };

  function list(kind) {
    const one = kind === "measures" ? measure : event;
    return Object.entries(design[kind]).map(([name, entry]) => make("fieldset", {}, make("legend", {}, name), one(name, entry),
      button(`Remove ${name}`, () => { delete design[kind][name]; redraw(); })));
  }

  function measure(name, entry) {
    const phases = new Set([entry.when].flat());
    const boxes = PHASES.map(([phase, words]) => make("label", {}, make("input", { type: "checkbox", checked: phases.has(phase), onchange: (event_) => {
      if (event_.target.checked) phases.add(phase); else phases.delete(phase);
      entry.when = PHASES.map(([key]) => key).filter((key) => phases.has(key));
      changed();
    } }), words));
    const sample = entry.assay !== null;
    return [
      make("div", { class: "fields" },
        field("Measures", select(offered.quantities, entry.quantity, (value) => {
          entry.quantity = value;
          if ((value === "oxytocin") !== (entry.assay !== null)) {
            entry.assay = value === "oxytocin" ? { method: "immunoassay_extracted" } : null;
            entry.reliability = null;
            redraw();
          } else changed();
        })),
        field("Of whom", select(["patient", "therapist"], entry.person, set(entry, "person"))),
        field("Sessions", text(sessionsText(entry.sessions), (value) => { entry.sessions = sessionsOf(value); changed(); }), "all, or numbers such as 1, 4, 8"),
        sample ? field("Assay", select(ASSAYS, entry.assay.method, set(entry.assay, "method")))
          : field("Reliability of changes", number(entry.reliability, 0, 1, 0.01, set(entry, "reliability")), "0 to 1; empty: estimated"),
        phases.has("between") ? field("Prompts between two sessions", number(entry.per_interval, 1, 200, 1, set(entry, "per_interval"))) : null),
      make("div", { class: "checks", role: "group", "aria-label": `When ${name} is measured` }, boxes),
    ];
  }

  function event(name, entry) {
    return make("div", { class: "fields" },
      field("Amount", number(entry.amount, 0, null, "any", set(entry, "amount")), name === "dose" ? "IU" : "size of the push"),
      field("Given by", select([["session", "session: each dyad in some sessions"], ["dyad", "dyad: some dyads in all sessions"]], entry.by, set(entry, "by"))),
      field("Share", number(entry.share, 0, 1, 0.05, set(entry, "share")), "of the sessions, or of the dyads"),
      field("Sessions", text(sessionsText(entry.sessions), (value) => { entry.sessions = sessionsOf(value); changed(); }), "all, or numbers such as 1, 4, 8"),
      field("Drawn at random", make("input", { type: "checkbox", checked: entry.randomised, onchange: (event_) => { entry.randomised = event_.target.checked; changed(); } })));
  }

  function more(kind, options, make_) {
    let chosen = options[0];
    return make("div", { class: "row" }, field(kind === "measures" ? "One more measure of" : "One more event", select(options, chosen, (value) => { chosen = value; })),
      button("Add", () => {
        let name = chosen;
        for (let n = 2; name in design[kind]; n += 1) name = `${chosen}_${n}`;
        design[kind][name] = make_(chosen);
        redraw();
      }));
  }

  fill(measures, list("measures"));
  fill(events, list("events"));
  const { sessions, missing, costs, analysis } = design;
  return make("form", { onsubmit: (event_) => event_.preventDefault() },
    make("fieldset", {}, make("legend", {}, "What it is"), make("div", { class: "fields" },
      field("Name", text(design.name, set(design, "name")), "of the file"), field("Title", text(design.title, set(design, "title"))), field("Question", text(design.question, set(design, "question"))))),
    make("fieldset", {}, make("legend", {}, "How many, how often"), make("div", { class: "fields" },
      field("Dyads", number(design.dyads, 2, 5000, 1, set(design, "dyads"))), field("Therapists", number(design.therapists, 1, 5000, 1, set(design, "therapists")), "empty: one for each dyad"),
      field("Sessions of a dyad", number(sessions.count, 1, 500, 1, set(sessions, "count"))), field("Distance of sessions", text(sessions.every, set(sessions, "every")), "such as 7 d"), field("Length of a session", text(sessions.length, set(sessions, "length")), "such as 50 min"))),
    make("details", { open: true }, make("summary", {}, "What is measured"), measures, more("measures", offered.quantities, (quantity) => ({
      quantity, person: "patient", when: ["after"], sessions: "all", per_interval: 1, reliability: quantity === "oxytocin" ? null : 0.6, assay: quantity === "oxytocin" ? { method: "immunoassay_extracted" } : null }))),
    make("details", { open: true }, make("summary", {}, "What is given"), make("p", { class: "hint" }, "Only what is drawn at random can tell whether something acts."), events, more("events", offered.events, () => ({ amount: 1, sessions: "all", by: "session", share: 0.5, randomised: true }))),
    make("details", {}, make("summary", {}, "What is lost"), make("div", { class: "fields" },
      field("Share of values lost by chance", number(missing.values, 0, 0.99, 0.01, set(missing, "values"))), field("Share of dyads that end early", number(missing.dropout, 0, 0.99, 0.01, set(missing, "dropout"))))),
    make("details", {}, make("summary", {}, "Costs"), make("div", { class: "fields" },
      field("Currency", text(costs.currency, set(costs, "currency"))), [["fixed", "Fixed"], ["per_dyad", "Of a dyad"], ["per_session", "Of a session"], ["per_sample", "Of a sample"]].map(([key, words]) => field(words, number(costs[key], 0, null, "any", set(costs, key)))))),
    make("details", {}, make("summary", {}, "Analysis"), make("div", { class: "fields" },
      field("Hypothesis that is fitted", select([["", "as dyadloop run chooses it"], ...offered.hypotheses.map((one) => [one.name, `${one.name}: ${one.title}`])], analysis.hypothesis, set(analysis, "hypothesis"))), field("Priors", select(PRIORS, analysis.priors, set(analysis, "priors"))))));
}

function text(value, changed) {
  return make("input", { type: "text", value, oninput: (event) => changed(event.target.value) });
}

function number(value, min, max, step, changed) {
  return make("input", { type: "number", value, min, max, step, inputmode: "decimal", oninput: (event) => changed(event.target.value === "" ? null : Number(event.target.value)) });
}

function sessionsText(sessions) {
  return sessions === "all" ? "all" : sessions.join(", ");
}

function sessionsOf(typed) {
  const numbers = typed.match(/\d+/g);
  return numbers ? numbers.map(Number) : typed.trim() || "all";
}
