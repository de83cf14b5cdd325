// Evidence: the map of arrows, a forest plot of each, what claims come to by evidence alone, and every row.
import { button, doi, field, fill, make, mark, note, select, shown, table } from "../dom.js";
import { ask } from "../server.js";
import { intervals } from "../figures.js";

const FIRST = 20;
const SIGNS = [["+", "raises"], ["0", "no difference found"], ["-", "lowers"], ["mixed", "mixed"]];

export async function show(main, state) {
  fill(main, [make("p", { role: "status" }, "Reading …")]);
  const found = await ask("/api/evidence");
  const arrow = make("section", { "aria-live": "polite", id: "arrow" });
  const first = state ? state.split("-") : ["oxytocin", "stress"];
  const buttons = new Map();
  async function choose(source, target, jump) {
    for (const [key, one] of buttons) one.setAttribute("aria-pressed", String(key === `${source}-${target}`));
    history.replaceState(null, "", `#/evidence/${source}-${target}`);
    try {
      fill(arrow, onArrow(await ask(`/api/evidence/arrow?${new URLSearchParams({ from: source, to: target })}`)));
    } catch (error) {
      fill(arrow, [note(error.message, "fault")]);
    }
    if (jump) arrow.scrollIntoView({ block: "nearest" });
  }
  const claims = make("div", {}, make("p", { class: "hint", role: "status" }, "Reading …"));
  fill(main, [
    make("h1", {}, "Evidence"),
    make("p", {}, `${found.rows.length} published effects on the arrows of the theory, each with its source. Choose an arrow in the map to see its studies pooled. No reading speaks of therapy: it is about the settings that were studied.`),
    make("div", { class: "columns side" }, make("section", {}, make("h2", {}, "Map"), map(found, buttons, choose)), arrow),
    make("section", {}, make("h2", {}, "Claims by published evidence alone"), claims),
    make("section", {}, make("h2", {}, "All rows"), rows(found, choose)),
  ]);
  await choose(first[0], first[1] ?? "", false);
  ask("/api/evidence/claims").then((list) => fill(claims, [claimTable(list)])).catch((error) => fill(claims, [note(error.message, "fault")]));
}

function map(found, buttons, choose) {
  const at = new Map(found.arrows.map((one) => [`${one.from}-${one.to}`, one]));
  const sources = found.concepts.filter((name) => found.arrows.some((one) => one.from === name));
  const targets = found.concepts.filter((name) => found.arrows.some((one) => one.to === name));
  const cell = (source, target) => {
    const one = at.get(`${source}-${target}`);
    if (!one) return make("td", {}, "");
    const told = SIGNS.map(([sign, word]) => (one.directions[sign] ? `${one.directions[sign]} ${word}` : null)).filter(Boolean).join(", ") || "none verified";
    const label = `${source} to ${target}: ${one.n_rows} rows, ${told}${one.pooled_d === null ? "" : `, pooled d ${shown(one.pooled_d)}`}`;
    const press = button([bar(one.directions), one.n_rows], () => choose(source, target, true), { "aria-label": label, title: label, "aria-pressed": "false" });
    buttons.set(`${source}-${target}`, press);
    return make("td", {}, press);
  };
  const said = "evidence-map-said";
  const grid = make("table", { class: "matrix", "aria-describedby": said },
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "from \\ to"), targets.map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, sources.map((source) => make("tr", {}, make("th", { scope: "row" }, source), targets.map((target) => cell(source, target))))));
  return [
    make("ul", { class: "legend" }, SIGNS.map(([, word], place) => make("li", {}, mark("svg", { viewBox: "0 0 14 14", width: 14, height: 14, "aria-hidden": "true" }, mark("rect", { width: 14, height: 14, class: `part-${place}` })), word))),
    make("p", { id: said }, "Rows: from; columns: to. The number counts effects, the bar shows where the verified ones point."),
    make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Map of the evidence" }, grid),
  ];
}

/** Verified rows by direction, as parts of a bar. */
function bar(directions) {
  const total = SIGNS.reduce((sum, [sign]) => sum + directions[sign], 0);
  let left = 0;
  const parts = SIGNS.map(([sign], place) => {
    const width = total ? (36 * directions[sign]) / total : 0;
    left += width;
    return width ? mark("rect", { x: left - width, y: 0, width, height: 8, class: `part-${place}` }) : null;
  });
  return mark("svg", { viewBox: "0 0 36 8", width: 36, height: 8, "aria-hidden": "true" }, parts);
}

function onArrow(one) {
  const heading = make("h2", {}, `${one.from} → ${one.to}`);
  if (!one.pooled) return [heading, note("Nothing here can be pooled: see why, row by row."), rowTable(one.rows)];
  const { pooled, bayes } = one;
  const bars = one.studies.map((study) => ({ name: `${study.reported ? "" : "null, no number: "}${study.citation}`, low: study.low, mid: study.d, high: study.high, weight: study.weight }));
  bars.push({ name: `pooled, k = ${pooled.k}`, low: pooled.low, mid: pooled.estimate, high: pooled.high, kind: "pooled" });
  if (pooled.predict_low !== null) bars.push({ name: "a new study, 95 %", low: pooled.predict_low, mid: pooled.estimate, high: pooled.predict_high, kind: "new" });
  const facts = [
    ["Pooled d", `${signed(pooled.estimate)} [${signed(pooled.low)}, ${signed(pooled.high)}]`, `${pooled.method}; tau² ${shown(pooled.tau2)}`],
    ["Bayesian", `${signed(bayes.mean)} [${signed(bayes.low)}, ${signed(bayes.high)}]`, bayes.prior],
    ["A new setting", `[${signed(bayes.predict_low)}, ${signed(bayes.predict_high)}]`, "95 %, Bayesian"],
    one.without_one ? ["Without one publication", `${signed(one.without_one.low)} to ${signed(one.without_one.high)}`, "smallest and largest pooled d"] : null,
  ].filter(Boolean);
  return [
    heading,
    intervals(bars, { label: `Forest plot of ${one.from} to ${one.to}`, axisLabel: "d; positive: raises the level; squares: weight" }),
    table("Pooled", ["what", "d [95 %]", "how"], facts),
    make("details", {}, make("summary", {}, `Rows on this arrow (${one.rows.length}), and how each was converted`), rowTable(one.rows)),
  ];
}

function rowTable(list) {
  return table("Rows on this arrow", ["id", "reported", "d", "how, or why not pooled", "source"], list.map((row) => [
    row.id, row.estimate === null ? "–" : `${row.metric} ${shown(row.estimate)}`, row.d === null ? "–" : signed(row.d), row.how, source(row)]));
}

function signed(value) {
  return value === null ? "–" : `${value >= 0 ? "+" : ""}${value.toFixed(2)}`;
}

function source(row) {
  return row.doi ? [row.citation, " ", doi(row.doi)] : row.citation;
}

function claimTable(list) {
  return table("What the rows come to, claim by claim", ["claim", "statement", "arrow", "rows", "raises", "none", "lowers", "mixed", "pooled d [95 %]", "reading"],
    list.map((row) => [row.claim, row.statement, row.arrow, row.rows, row.positive, row.null, row.negative, row.mixed,
      row.pooled_d === null ? "–" : `${signed(row.pooled_d)}${row.low === null ? "" : ` [${signed(row.low)}, ${signed(row.high)}]`}`, row.reading]));
}

function rows(found, choose) {
  const filters = { from: "", to: "", design: "", direction: "", words: "" };
  const count = make("p", { role: "status" });
  const box = make("div", {});
  const any = [["", "any"]];
  let whole = false;
  function draw() {
    const kept = found.rows.filter((row) => (!filters.from || row.edge_from === filters.from) && (!filters.to || row.edge_to === filters.to)
      && (!filters.design || row.design === filters.design) && (!filters.direction || row.direction === filters.direction)
      && (!filters.words || [row.id, row.citation, row.population, row.seen, row.notes, row.moderators].join(" ").toLowerCase().includes(filters.words)));
    fill(count, [`${kept.length} of ${found.rows.length} rows`]);
    fill(box, [table("Published effects", ["id", "arrow", "design", "effect", "95 %", "n", "k", "direction", "verified", "source", "what was read"], (whole ? kept : kept.slice(0, FIRST)).map((row) => [
      row.id, button(`${row.edge_from} → ${row.edge_to}`, () => choose(row.edge_from, row.edge_to, true)), row.design, row.estimate === null ? "–" : `${row.metric} ${shown(row.estimate)}`,
      row.ci_low === null ? "–" : `${shown(row.ci_low)} to ${shown(row.ci_high)}`, row.n_participants === null ? "–" : String(row.n_participants), row.k_studies === null ? "–" : String(row.k_studies),
      row.direction, row.verified ? "yes" : "no", source(row), row.seen])),
      !whole && kept.length > FIRST ? button(`Show all ${kept.length} rows`, () => { whole = true; draw(); }) : null]);
  }
  const chosen = (name) => (value) => { filters[name] = value; draw(); };
  const words = make("input", { type: "search", name: "words" });
  words.addEventListener("input", () => { filters.words = words.value.trim().toLowerCase(); draw(); });
  draw();
  return [
    make("div", { class: "row" }, field("From", select([...any, ...found.concepts], "", chosen("from"))), field("To", select([...any, ...found.concepts], "", chosen("to"))),
      field("Design", select([...any, ...found.designs], "", chosen("design"))), field("Direction", select([...any, ...SIGNS.map(([sign, word]) => [sign, `${sign} ${word}`])], "", chosen("direction"))), field("Words", words)),
    count, box,
  ];
}
