// What fits and comparisons came to: the claims with their verdicts, the report, the comparison of hypotheses.
import { fill, link, make, note, shown, table } from "./dom.js";
import { intervals } from "./figures.js";
import { hasResult } from "./jobs.js";
import { ask } from "./server.js";

const UNTESTABLE = "not testable here";

/** A list of results, the newest first; `ended(job)` adds what a job has left. */
export function results() {
  const hint = make("p", { class: "hint" }, "Results stand here when a fit has ended.");
  const list = make("div", {});
  const known = new Map();
  async function ended(job) {
    if (!hasResult(job)) return;
    known.get(job.id)?.remove();
    const box = make("section", { class: "panel", "aria-label": job.title });
    known.set(job.id, box);
    list.prepend(box);
    hint.hidden = true;
    try {
      fill(box, drawn(job, await ask(`/api/jobs/${job.id}/left`)));
    } catch (error) {
      fill(box, [note(error.message, "fault")]);
    }
  }
  return { element: make("div", {}, hint, list), ended };
}

function drawn(job, left) {
  const heading = make("h3", {}, job.title, " ", job.simulated ? make("span", { class: "simulated" }, "SIMULATED") : null, make("span", { class: "hint" }, ` ${job.ended ?? ""}`));
  const warned = job.state === "not converged" ? note(`Not converged: do not rely on these numbers. ${job.progress.messages.at(-1) ?? ""}`, "warning") : null;
  if (left.claims) return [heading, warned, claims(job, left)];
  if (left.comparison) return [heading, warned, comparison(job, left.comparison)];
  return [heading, warned, make("pre", {}, left.printed || "done")];
}

function files(job, names) {
  return make("p", { class: "row" }, names.map(([text, file, outside]) => {
    const address = `/api/jobs/${job.id}/files/${file}`;
    return outside ? link(text, address, { target: "_blank", rel: "noopener" }) : link(text, `${address}?download=1`, { download: "" });
  }));
}

function claims(job, left) {
  const tested = left.claims.filter((claim) => claim.verdict !== UNTESTABLE);
  const untold = new Map();
  for (const claim of left.claims.filter((one) => one.verdict === UNTESTABLE)) untold.set(claim.reason, [...(untold.get(claim.reason) ?? []), claim.claim]);
  const rows = tested.map((claim) => [
    claim.claim, make("span", { class: `verdict ${claim.verdict}` }, claim.verdict), claim.statement, interval(claim, ""), interval(claim, "randomised_"),
    `${claim.rope_low === null ? "below" : `${shown(claim.rope_low)} to`} ${shown(claim.rope_high)}`, claim.unit === "1" ? null : claim.unit, [claim.reason, claim.misfit].filter(Boolean).join("; ") || "–"]);
  return [
    files(job, [["Open the report", "report", true], ["Download the report", "report", false], ["Claims as CSV", "claims", false]]),
    tested.length ? null : note("None of the claims can be tested with what this study measures.", "warning"),
    byUnit(tested).map(([unit, some]) => intervals(some.flatMap(bars), { label: `Estimates of the tested claims${unit}`, axisLabel: `estimate${unit}` })),
    tested.length ? make("p", { class: "hint" }, "Line: 89 % interval. Green: region of practical equivalence. Red: by randomised events alone.") : null,
    tested.length ? table("Tested claims: median [89 % interval]", ["claim", "verdict", "statement", "association", "by randomised events", "equivalent to none", "unit", "why"], rows) : null,
    untold.size ? make("details", { open: !tested.length }, make("summary", {}, `Not testable here (${left.claims.length - tested.length})`),
      table("Claims that this study cannot test", ["claims", "why"], [...untold].map(([why, names]) => [names.join(", "), why]))) : null,
    make("p", { class: "hint" }, "A verdict that something acts rests on randomised events alone. Evidence, never proof of no effect."),
  ];
}

/** Claims that share an axis, in the order of the first of each: numbers of different units do not compare. */
function byUnit(claims) {
  const found = new Map();
  for (const claim of claims.filter((one) => one.median !== null)) {
    const unit = claim.unit && claim.unit !== "1" ? ` [${claim.unit}]` : "";
    found.set(unit, [...(found.get(unit) ?? []), claim]);
  }
  return [...found];
}

function bars(claim) {
  const row = { name: `${claim.claim} ${claim.statement}`, low: claim.low, mid: claim.median, high: claim.high, ropeLow: claim.rope_low, ropeHigh: claim.rope_high };
  const found = claim.median === null ? [] : [row];
  if (claim.randomised_median !== null) found.push({ ...row, name: `${claim.claim} by randomised events`, low: claim.randomised_low, mid: claim.randomised_median, high: claim.randomised_high, kind: "push" });
  return found;
}

function interval(claim, kind) {
  const [low, mid, high] = ["low", "median", "high"].map((name) => claim[kind + name]);
  return mid === null ? "–" : `${shown(mid)} [${shown(low)}, ${shown(high)}]`;
}

function comparison(job, rows) {
  return [
    files(job, [["Comparison as CSV", "comparison", false]]),
    table("Hypotheses: how well each predicts a dyad that it has not seen", ["hypothesis", "reading", "score", "difference to the best", "its standard error", "weight", "converged"],
      rows.map((row) => [row.hypothesis, row.reading, shown(row.elpd, 5), shown(row.difference), shown(row.difference_se), shown(row.weight), String(row.converged)])),
  ];
}
