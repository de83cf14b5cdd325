// Answers about a design: what it can tell, in words; curves of simulated studies; what budgets buy.
import { fill, make, note, shown, table } from "./dom.js";
import { legend, shares } from "./figures.js";
import { hasResult } from "./jobs.js";
import { ask } from "./server.js";

const MOST_LINES = 6;

/** The answers, the newest first; `assurance()` names the newest finished simulation of this design. */
export function planResults(design) {
  const list = make("div", {});
  const known = new Map();
  let newest = null;
  async function ended(job) {
    if (!hasResult(job)) return;
    known.get(job.id)?.remove();
    const box = make("section", { class: "panel", "aria-label": job.title });
    known.set(job.id, box);
    list.prepend(box);
    try {
      const left = await ask(`/api/jobs/${job.id}/left`);
      fill(box, [make("h3", {}, job.title, " ", job.simulated ? make("span", { class: "simulated" }, "SIMULATED") : null), drawn(job, left)]);
      if (job.kind === "assurance" && job.about === design.name) newest = job.id;
    } catch (error) {
      fill(box, [note(error.message, "fault")]);
    }
  }
  return { element: list, ended, assurance: () => newest };
}

function drawn(job, left) {
  if (job.kind === "identifiability") return identified(left.answer);
  return job.kind === "frontier" ? spent(left.answer) : assured(left.assurance);
}

function identified(answer) {
  const told = answer.claims.filter((claim) => claim.can_tell !== "not testable here");
  const untold = answer.claims.filter((claim) => claim.can_tell === "not testable here");
  const [rank, all] = answer.rank;
  return [
    make("p", {}, `Of ${answer.claims.length} claims this design could tell ${told.length}. Data would inform ${rank} of ${all} directions of the parameters.`),
    table("Claims that it could tell", ["claim", "statement", "how", "narrowed", "by randomised events"], told.map((claim) => [claim.claim, claim.statement, claim.can_tell, percent(claim.contraction), percent(claim.randomised_contraction)])),
    make("p", { class: "hint" }, "Narrowed: by how much the uncertainty about it is expected to shrink against the prior; 0 %: nothing is learned."),
    answer.directions.length ? make("div", {}, make("h4", {}, "Hardly told by the data"), make("ul", {}, answer.directions.map((one) => make("li", {}, one.words)))) : null,
    untold.length ? make("details", {}, make("summary", {}, `Claims that it cannot tell (${untold.length})`), table("Not testable", ["claim", "statement", "why"], untold.map((claim) => [claim.claim, claim.statement, claim.why]))) : null,
  ];
}

function percent(value) {
  return value === null || value === undefined ? "–" : `${Math.round(100 * value)} %`;
}

function assured(tables) {
  const rows = tables.claims.filter((row) => row.untestable === null || row.untestable < 1);
  if (!rows.length) return note("No claim could be tested in any simulated study.", "warning");
  const factor = "dyads" in rows[0] ? "dyads" : null;
  const truths = [...new Set(rows.map((row) => row.truth))];
  return [
    note("Every number here is about simulated studies.", "warning"),
    factor ? truths.map((truth) => curves(rows.filter((row) => row.truth === truth), truth, factor)) : null,
    table("Verdicts in simulated studies", [factor ?? "design", "truth", "claim", "studies", "supported", "contradicted", "undecided", "supported where it holds", "supported where it does not"],
      rows.map((row) => [String(row[factor ?? "design"]), row.truth, row.claim, row.studies, `${percent(row.supported)} ± ${percent(row.supported_se)}`, percent(row.contradicted), percent(row.undecided), percent(row.power), percent(row.false_support)])),
    make("p", { class: "hint" }, "± : Monte Carlo standard error. Supported where it does not hold: a wrong verdict."),
  ];
}

function curves(rows, truth, factor) {
  if (!rows.some((row) => row.supported > 0)) {
    const reasons = [...new Set(rows.map((row) => row.why).filter(Boolean))].slice(0, 3);
    return note(`Truth: ${truth}. No claim was supported in any of these studies. ${reasons.length ? `Commonest reasons: ${reasons.join("; ")}.` : ""}`);
  }
  const best = [...new Set(rows.map((row) => row.claim))].map((claim) => [claim, Math.max(...rows.filter((row) => row.claim === claim).map((row) => row.supported))]).sort((a, b) => b[1] - a[1]).slice(0, MOST_LINES).map(([claim]) => claim);
  const series = best.map((claim) => ({ name: claim, points: rows.filter((row) => row.claim === claim).sort((a, b) => a[factor] - b[factor]).map((row) => ({
    x: row[factor], y: row.supported, low: Math.max(0, row.supported - 1.96 * row.supported_se), high: Math.min(1, row.supported + 1.96 * row.supported_se) })) }));
  return make("div", {}, make("h4", {}, `Share of studies that support each claim; truth: ${truth}`), legend(best), shares(series, { label: `Share supported by number of ${factor}, truth ${truth}`, axisLabel: factor }));
}

function money(value) {
  return Math.round(value).toLocaleString("en");
}

function spent(answer) {
  return [
    table("The best schedule for each budget", ["budget", "dyads", "samples in sessions", "cost", "expected SD of the claim", "narrowed"], answer.map((row) => [money(row.budget), row.dyads, row.sampled, money(row.cost), shown(row.expected_sd), percent(row.contraction)])),
    make("p", { class: "hint" }, "Expected before any data, nothing lost."),
  ];
}
