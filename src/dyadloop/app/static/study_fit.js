// What a study can tell, and the forms that start a fit, a comparison or a measurement.
import { button, field, fill, make, note, select } from "./dom.js";
import { ask } from "./server.js";
import { jobBoard } from "./jobs.js";

const PRIORS = [["sceptical", "sceptical: no effect is expected (default)"], ["evidence", "evidence: from published effects"], ["flat", "flat: nearly nothing is assumed"]];
const ANSWERS = { yes: "Can be tested", "as an association": "Can be seen as an association only", no: "Cannot be tested with this study" };

async function start(study, ask_, refresh, box) {
  fill(box, []);
  try {
    await ask(`/api/studies/${encodeURIComponent(study.key)}/jobs`, { ask: ask_ });
    fill(box, [note("Started; see Work below.")]);
    await refresh();
  } catch (error) {
    fill(box, [note(error.message, "fault")]);
  }
}

/** Which claims a study can tell, asked for once and kept. */
export function claimsAsked(study) {
  const box = make("div", {});
  const message = make("div", {});
  const begin = button("Which claims can this study test?", () => start(study, { kind: "claims" }, board.refresh, message), { class: "main" });
  const board = jobBoard({
    belongs: (job) => job.about === study.key && job.kind === "claims",
    ended: async (job) => {
      if (job.state !== "done") return;
      const left = await ask(`/api/jobs/${job.id}/left`);
      fill(box, told(left.answer));
      board.element.hidden = true;
      fill(message, []);
    },
    empty: "Takes about ten seconds. Nothing is fitted: the answer follows from what is measured and what is randomised.",
  });
  return { element: make("div", {}, make("p", {}, begin), message, board.element, box) };
}

function told(answer) {
  const parts = Object.entries(ANSWERS).map(([key, words]) => {
    const claims = (answer.claims ?? []).filter((claim) => claim.answerable === key);
    const reasons = [...new Set(claims.map((claim) => claim.reason))];
    const lists = reasons.map((reason) => [make("p", { class: "hint" }, reason),
      make("ul", {}, claims.filter((claim) => claim.reason === reason).map((claim) => make("li", {}, make("strong", {}, claim.claim), ` ${claim.statement}`)))]);
    if (!claims.length) return make("p", {}, make("strong", {}, `${words}: none`));
    return make("details", { open: key !== "no", class: "panel" }, make("summary", {}, `${words}: ${claims.length}`), lists);
  });
  return [parts, (answer.notes ?? []).map((text) => note(text))];
}

function number(name, value, least, most) {
  return make("input", { type: "number", name, value, min: least, max: most, step: 1, required: true, inputmode: "numeric" });
}

function sampling() {
  const inputs = { chains: number("chains", 4, 1, 16), warmup: number("warmup", 200, 50, 20000), draws: number("draws", 600, 50, 100000), seed: number("seed", 1, 0, 2147483647) };
  const element = make("details", {}, make("summary", {}, "Chains and draws"), make("div", { class: "row" },
    field("Chains", inputs.chains), field("Warm-up of each", inputs.warmup), field("Draws of each", inputs.draws), field("Seed", inputs.seed)));
  return { element, values: () => Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, Number(input.value)])), valid: () => Object.values(inputs).every((input) => input.reportValidity()) };
}

/** The forms. `refresh` is called after something was started. */
export function forms(study, refresh) {
  const message = make("div", { "aria-live": "polite" });
  const waits = study.unmeasured.length > 0;
  return [
    study.measures.length ? make("section", { class: "panel" }, make("h3", {}, "Measure"),
      make("p", {}, "Scores recordings, questionnaires, assays and games that study.yaml declares, and writes them into measurements.tsv."),
      button("Measure", () => start(study, { kind: "measure" }, refresh, message), { class: waits ? "main" : null })) : null,
    waits ? null : fit(study, refresh, message),
    waits || study.hypotheses.length < 2 ? null : comparison(study, refresh, message),
    message,
  ];
}

function fit(study, refresh, message) {
  let priors = "sceptical";
  let rival = "";
  const settings = sampling();
  const rivals = [["", "as the study allows (default)"], ...study.hypotheses.map((one) => [one.name, `${one.name}: ${one.title}`])];
  const submit = (event) => {
    event.preventDefault();
    if (settings.valid()) start(study, { kind: "fit", priors, hypothesis: rival || null, ...settings.values() }, refresh, message);
  };
  return make("form", { class: "panel", onsubmit: submit, id: "fit-form" }, make("h3", {}, "Fit the theory"),
    make("p", {}, "Estimates every arrow of the theory that the study measures, judges each claim, and writes a report."),
    make("div", { class: "fields" }, field("Priors", select(PRIORS, priors, (value) => { priors = value; })), field("Hypothesis", select(rivals, rival, (value) => { rival = value; }))),
    settings.element, make("p", {}, make("button", { type: "submit", class: "main" }, "Start the fit")));
}

function comparison(study, refresh, message) {
  const settings = sampling();
  const boxes = study.hypotheses.map((one, place) => make("input", { type: "checkbox", value: one.name, checked: place < 2 }));
  const submit = (event) => {
    event.preventDefault();
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    if (chosen.length < 2) fill(message, [note("Choose two hypotheses or more.", "warning")]);
    else if (settings.valid()) start(study, { kind: "compare", hypotheses: chosen, ...settings.values() }, refresh, message);
  };
  return make("details", { class: "panel" }, make("summary", {}, "Compare hypotheses"),
    make("form", { onsubmit: submit }, make("p", {}, "Fits each hypothesis and says which predicts a dyad best that it has not seen. Each takes as long as a fit."),
      make("fieldset", {}, make("legend", {}, "Hypotheses"), make("div", { class: "checks" }, boxes.map((box, place) => make("label", {}, box, `${study.hypotheses[place].name}: ${study.hypotheses[place].title}`)))),
      settings.element, make("p", {}, make("button", { type: "submit" }, "Start the comparison"))));
}
