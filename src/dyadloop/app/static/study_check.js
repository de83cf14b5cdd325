// What is wrong with a study, what is doubtful, what it holds, and who was measured when.
import { button, doi, fill, make, note, shown, table } from "./dom.js";
import { presence } from "./figures.js";
import { ask } from "./server.js";

const SHOWN = 50;

/** Faults with file, row and column, or a summary and doubts. */
export function checked(study) {
  if (study.faults.length) {
    return [
      note(`${study.faults.length} ${study.faults.length === 1 ? "fault" : "faults"}. A study with faults is not fitted: mend each in its file, then read the study again.`, "fault"),
      faultList(study.faults),
      study.doubts.length ? [make("h3", {}, "Doubtful in what has no fault"), faultList(study.doubts)] : null,
      make("p", {}, button("Read the study again", () => dispatchEvent(new Event("hashchange")), { class: "main" })),
    ];
  }
  const { summary } = study;
  const [fewest, median, most] = summary.sessions_per_dyad;
  const facts = [
    ["Persons", `${summary.persons} in ${summary.dyads} dyads`],
    ["Sessions", `${summary.sessions}; ${fewest === most ? `${fewest} per dyad` : `${fewest} to ${most} per dyad, median ${shown(median)}`}`],
    ["Time", summary.first ? `${summary.first} to ${summary.last}, ${shown(summary.days)} days` : "none"],
    ["Events", Object.entries(summary.events).map(([name, count]) => `${name} ${count}`).join(", ") || "none"],
    ["Theory", study.theory],
    ["Licence", study.licence],
    ["Source", /^10\.\d+\//.test(study.source ?? "") ? doi(study.source) : study.source || "not stated"],
  ];
  const doubts = study.doubts.length;
  return [
    note(doubts ? `No faults, ${doubts} ${doubts === 1 ? "doubt" : "doubts"}. A doubt does not stop a fit, but look at it.` : "No faults and no doubts.", doubts ? "warning" : "hint"),
    make("dl", { class: "facts" }, facts.map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])),
    doubts ? make("details", { open: doubts <= 3 }, make("summary", {}, `Doubts (${doubts})`), faultList(study.doubts)) : null,
    study.unmeasured.length ? note(`${study.unmeasured.join(", ")}: declared and not measured yet; start “Measure” below.`, "warning") : null,
    table("Indicators", ["indicator", "measures", "answered by", "values", "dyads", "missing", "lowest", "median", "highest", "unit"],
      summary.indicators.map((one) => [one.name, one.quantity, one.person, one.values, one.dyads,
        one.missing === null ? "–" : `${Math.round(100 * one.missing)} %`, shown(one.lowest), shown(one.median), shown(one.highest), one.unit])),
  ];
}

/** Faults or doubts, each with its place first: file, row, column. */
function faultList(faults) {
  const entries = faults.slice(0, SHOWN).map((fault) => make("li", {}, make("strong", {}, fault.place),
    make("dl", { class: "facts" }, [["found", fault.got], ["expected", fault.expected], ["what to do", fault.remedy]].map(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]))));
  const more = faults.length > SHOWN ? make("p", { class: "hint" }, `and ${faults.length - SHOWN} more; mend these first`) : null;
  return [make("ol", { class: "faults" }, entries), more];
}

/** The map of persons and time, with the same numbers as a table. */
export function whoWhen(study) {
  const box = make("div", {}, make("p", { role: "status" }, "Drawing …"));
  const readout = make("p", { class: "hint", "aria-live": "off" }, "Point at the figure to read who was measured when.");
  ask(`/api/studies/${encodeURIComponent(study.key)}/map`).then((map) => {
    const rows = map.rows.map((row) => [row.person, row.dyad, row.role, row.counts.reduce((sum, count) => sum + count, 0)]);
    const bare = rows.filter((row) => row[3] === 0).length;
    fill(box, [
      make("p", {}, `One row per person, those of a dyad side by side; darker: more values. ${map.simulated ? "SIMULATED. " : ""}`,
        bare ? `${bare} of ${rows.length} persons have no value.` : ""),
      presence(map, (text) => fill(readout, [text])), readout,
      make("details", {}, make("summary", {}, "Numbers of values as a table"), table("Values of each person", ["person", "dyad", "role", "values"], rows)),
    ]);
  }).catch((error) => fill(box, [note(error.message, "fault")]));
  return box;
}
