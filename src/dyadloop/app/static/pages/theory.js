// The theory: its loop, one arrow at a time, its equations and its claims.
import { doi, fill, make, note, shown, table } from "../dom.js";
import { chooser, describe, shipped } from "../chooser.js";
import { inWords, loopDrawing } from "../loop_drawing.js";

const SHARES = { normal: (p) => [p.location - 1.598 * p.scale, p.location + 1.598 * p.scale],
  lognormal: (p) => [p.location * Math.exp(-1.598 * p.scale), p.location * Math.exp(1.598 * p.scale)] };

function priorWords(prior) {
  if (!prior) return "none: a fixed number";
  const [low, high] = SHARES[prior.family](prior);
  const names = prior.family === "normal" ? ["mean", "sd"] : ["median", "sd of the logarithm"];
  return `${prior.family}, ${names[0]} ${shown(prior.location)}, ${names[1]} ${shown(prior.scale)}; 89 % from ${shown(low)} to ${shown(high)}`;
}

function fact(name, value) {
  return [make("dt", {}, name), make("dd", {}, value)];
}

function evidenceTable(rows) {
  if (!rows.length) return make("p", { class: "hint" }, "No row of the evidence table: an assumption.");
  return table("Evidence", ["row", "effect", "what was read", "source"], rows.map((row) => [
    row.id, effectWords(row), row.seen ?? null,
    row.doi ? make("span", {}, row.citation ? `${row.citation} ` : "", doi(row.doi)) : row.citation || row.id,
  ]));
}

function effectWords({ metric, estimate, n_participants: persons }) {
  const size = metric && estimate !== null ? (metric === "other" ? `${shown(estimate)} (in its own unit)` : `${metric} ${shown(estimate)}`) : metric === "null" ? "none found" : "no number";
  return persons ? `${size}, ${persons} persons` : size;
}

function arrowPanel(arrow) {
  if (!arrow) return make("p", { class: "hint" }, "Choose an arrow: by a click, or with the Tab key and Enter.");
  const number = arrow.number;
  return make("div", {}, make("h2", {}, arrow.id), make("p", {}, `${inWords(arrow)}.`),
    make("p", { class: "equation" }, arrow.equation || "–"),
    make("dl", { class: "facts" },
      fact("coefficient", `${shown(number.value, 4)} ${number.unit === "1" ? "(a gain)" : number.unit}`),
      fact("prior", priorWords(number.prior)), fact("form", arrow.form),
      number.assumed ? fact("assumed", number.assumed) : null),
    evidenceTable(number.evidence));
}

function claimsTable(claims) {
  if (!claims.length) return make("p", { class: "hint" }, "This file states no claims.");
  return table("Claims, each with what would count as nothing", ["claim", "statement", "estimand", "counts as nothing"],
    claims.map((claim) => [claim.id, claim.statement, claim.estimand,
      claim.rope[0] === null ? `up to ${shown(claim.rope[1])}` : `${shown(claim.rope[0])} to ${shown(claim.rope[1])}`]));
}

function equationList(equations) {
  return make("ul", { class: "equations" }, equations.map(({ left, right, unit }) =>
    make("li", { class: "equation" }, `${left} = ${right}`, make("span", { class: "hint" }, `  [${unit}]`))));
}

/** Show the page; the state names theory, hypothesis and switches. */
export async function show(main, state) {
  const given = new URLSearchParams(state);
  let choice = { theory: given.get("theory") ?? "framework", hypothesis: given.get("hypothesis"), on: given.getAll("on") };
  let picked = given.get("arrow");
  const faults = make("div", {});
  const controls = make("div", { class: "panel" });
  const body = make("div", {});
  fill(main, [make("h1", {}, "Theory"), controls, faults, body]);
  await shipped();

  async function load(next) {
    try {
      const described = await describe(next);
      choice = next;
      fill(faults, []);
      draw(described);
    } catch (error) {
      failed(error);
      if (!body.hasChildNodes() && next.theory !== "framework") await load({ theory: "framework" });
    }
  }

  function failed(error) {
    fill(faults, [note(error.message, "fault")]);
  }

  function remember() {
    const kept = new URLSearchParams({ theory: choice.theory });
    if (choice.hypothesis) kept.set("hypothesis", choice.hypothesis);
    for (const name of choice.on ?? []) kept.append("on", name);
    if (picked) kept.set("arrow", picked);
    history.replaceState(null, "", `#/theory/${kept}`);
  }

  function draw(described) {
    remember();
    fill(controls, [chooser(choice, described, load, failed)]);
    const panel = make("section", { class: "panel sticky", "aria-live": "polite", "aria-label": "The chosen arrow" });
    const drawing = make("div", {});
    const pick = (id, focus = true) => {
      picked = id;
      remember();
      for (const entry of drawing.querySelectorAll(".arrow")) entry.setAttribute("aria-pressed", String(entry.dataset.arrow === id));
      fill(panel, [arrowPanel(described.arrows.find((arrow) => arrow.id === id))]);
    };
    fill(drawing, [loopDrawing(described, picked, pick)]);
    pick(picked);
    fill(body, [
      make("p", {}, described.title, described.hypothesis ? `, restricted to ${described.hypothesis.replaceAll("_", " ")}` : "", ". ", make("span", { class: "hint" }, /^10\.\d/.test(described.source) ? doi(described.source) : described.source)),
      make("div", { class: "columns side" }, make("section", { "aria-label": "The loop" }, drawing,
        make("p", { class: "hint" }, "Blue raises, red and dashed lowers, grey has the coefficient 0; thin acts in session only.")), panel),
      make("h2", {}, "Equations"), make("p", { class: "hint" }, "Time in days; “session” is 1 while a session runs and 0 between."),
      make("details", {}, make("summary", {}, `${described.equations.length} equations`), equationList(described.equations)),
      make("h2", {}, "Claims"), claimsTable(described.claims),
    ]);
  }

  await load(choice);
}
