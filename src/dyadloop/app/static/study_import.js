// Bring in a table: drop files, see what each column is taken for and why, correct it, preview, write the study.
import { button, field, fill, make, note, select, table } from "./dom.js";
import { ask, send } from "./server.js";

const NONE = "\u0000";
const WORDS = { ymd: "year-month-day", dmy: "day.month.year", mdy: "month/day/year", sessions: "a session", persons: "a person", nothing: "leave the table out", ".": "point: 3.5", ",": "comma: 3,5" };

/** The whole import; `done(key)` is called with the study that was written. */
export function importer(done) {
  const state = { upload: null, files: [], answers: {}, text: null, name: "", taken: new Set() };
  const faults = make("div", { "aria-live": "assertive" });
  const chosen = make("p", { class: "hint" });
  const plan = make("div", {});
  const preview = make("div", { "aria-live": "polite" });

  async function attempt(work) {
    try {
      fill(faults, []);
      await work();
    } catch (error) {
      fill(faults, [note(error.message, "fault")]);
      faults.scrollIntoView({ block: "nearest" });
    }
  }

  async function take(files) {
    for (const file of files) {
      fill(chosen, [`Sending ${file.name} …`]);
      const query = new URLSearchParams({ name: file.name, ...(state.upload ? { upload: state.upload } : {}) });
      const got = await send(`/api/uploads?${query}`, file);
      state.upload = got.upload;
      state.files = got.files;
    }
    fill(chosen, [`Files: ${state.files.join(", ")}`]);
    if (!state.name) state.name = plainName(state.files[0]);
    state.answers = {};
    state.text = null;
    await understand();
  }

  async function understand() {
    fill(preview, []);
    const found = await post("plan");
    const focused = document.activeElement?.id;
    fill(plan, drawn(found));
    if (focused) document.getElementById(focused)?.focus();
  }

  const post = (what) => ask(`/api/imports/${state.upload}/${what}`, { name: state.name, answers: state.answers, text: state.text });

  function answer(place, value) {
    state.answers[place] = value;
    attempt(understand);
  }

  function drawn(found) {
    const open = new Map(found.open.map((one) => [one.place, one.what]));
    const name = make("input", { type: "text", name: "study-name", value: state.name, required: true, id: "study-name" });
    name.addEventListener("change", () => { state.name = name.value.trim(); attempt(understand); });
    return [
      make("h2", {}, "2 How the table is understood"),
      open.size ? note(`${open.size} ${open.size === 1 ? "question is" : "questions are"} open, marked below: nothing in the files answers ${open.size === 1 ? "it" : "them"}.`, "warning")
        : note("Every question is answered. Look the guesses over, then preview."),
      found.updates ? note(`A study “${state.name}” is there already. It is brought up to date, by the mapping of its first import; choose another name for a new study.`, "warning") : null,
      make("fieldset", {}, make("legend", {}, "Study"), make("div", { class: "fields" }, field("Name of the study folder", name), found.study.map((one) => entry(one, found, open)))),
      found.tables.map((one) => part(one, found, open)),
      mapping(found),
      make("p", { class: "row" }, button("Preview", () => attempt(look), { class: "main", id: "preview", disabled: open.size > 0 }), make("span", { class: "hint" }, "Nothing is written yet.")),
    ];
  }

  function part(one, found, open) {
    const scores = one.scores.map((score) => [score.name, score.source, ...score.fields.map((each) => control(each, found, open, `${score.name} ${each.words}`)),
      [score.why, ...score.fields.map((each) => each.why && `${each.words}: ${each.why}`)].filter(Boolean).join("; ") || "–"]);
    const left = Object.entries(one.left_out);
    return make("fieldset", {}, make("legend", {}, `${one.name}: ${one.rows} rows, ${one.cells} cells`),
      make("details", { open: true }, make("summary", {}, "First rows of the file"), table(`First rows of ${one.name}`, one.columns, one.preview)),
      make("div", { class: "fields" }, one.fields.map((each) => entry(each, found, open))),
      one.scores.length ? table("Columns that are taken as measurements", ["name", "from", "measures", "answered by", "scale", "unit", "enters the fit", "why"], scores) : note("No column is taken as a measurement.", "warning"),
      left.length ? make("details", {}, make("summary", {}, `Columns that are left out (${left.length})`), table("Left out", ["column", "why"], left)) : null);
  }

  function entry(one, found, open) {
    const box = field(one.words, control(one, found, open, null), one.why || null);
    if (open.has(one.place)) {
      box.classList.add("asked");
      box.append(make("span", { class: "hint" }, `Please say: ${open.get(one.place)}`));
    }
    return box;
  }

  function control(one, found, open, label) {
    const asked = one.value === "?";
    const id = `place-${one.place.replace(/[^A-Za-z0-9]/g, "-")}`;
    const named = { id, "aria-label": label };
    const changed = (value) => answer(one.place, value);
    if (one.kind === "yes") return make("input", { ...named, type: "checkbox", checked: one.value === true, onchange: (event) => changed(event.target.checked) });
    if (one.kind === "choice" || one.kind === "column" || one.kind === "quantity") {
      const offered = one.kind === "quantity" ? found.quantities : one.choices;
      const current = one.value === null || asked ? NONE : String(one.value);
      const more = offered.includes(current) || current === NONE ? [] : [current];
      const first = asked ? [[NONE, "please choose"]] : one.kind === "column" ? [[NONE, "none"]] : [];
      const box = select([...first, ...[...more, ...offered].map((value) => [value, (one.kind === "choice" && WORDS[value]) || value])], current, (value) => changed(value === NONE ? null : value));
      for (const [key, value] of Object.entries(named)) if (value) box.setAttribute(key, value);
      return box;
    }
    const shown = asked || one.value === null ? "" : Array.isArray(one.value) ? one.value.join(" to ") : one.value;
    const input = make("input", { ...named, type: "text", value: shown, placeholder: one.kind === "scale" ? "1 to 7" : null, inputmode: one.kind === "number" ? "decimal" : null });
    input.addEventListener("change", () => changed(typed(input.value.trim(), one.kind)));
    return input;
  }

  function mapping(found) {
    const text = make("textarea", { rows: 14, spellcheck: "false", "aria-label": "import.yaml" });
    text.value = found.text;
    return make("details", {}, make("summary", {}, "The mapping as a file (import.yaml)"),
      make("p", {}, "The same as the form and more. It is kept in the study folder, so that a newer export can be brought in by the same rules."),
      text, make("p", {}, button("Use this text", () => attempt(async () => { state.text = text.value; state.answers = {}; await understand(); }))));
  }

  async function look() {
    const found = await post("preview");
    fill(preview, [
      make("h2", {}, "3 What the study will hold"),
      make("p", {}, `${found.counts.persons} persons, ${found.counts.sessions} sessions, ${found.counts.values} values.`),
      table("Account of every cell", ["table", "cells", "used", "reported", "taken in another form"], found.tables.map((one) => [one.table, one.cells, one.used, one.reported, one.changed])),
      found.remarks.length ? table("Cells that are not taken as they stand", ["what", "first place", "entry", "cells", "why"], found.remarks.map((one) => [one.kind, one.place, one.text, one.cells, one.why])) : null,
      Object.entries(found.rows).map(([name, one]) => make("details", {}, make("summary", {}, `First ${name}`), table(`First ${name}`, one.columns, one.rows))),
      make("p", {}, button("Write the study", () => attempt(async () => done((await post("write")).key)), { class: "main", id: "write" })),
    ]);
    preview.querySelector("h2").scrollIntoView();
  }

  const input = make("input", { type: "file", multiple: true, id: "files" });
  input.addEventListener("change", () => attempt(() => take([...input.files])));
  const drop = make("div", { class: "drop" }, make("p", {}, "Drop one or more files here: CSV, Excel, SPSS, REDCap and others."), make("p", {}, make("label", { for: "files" }, "or choose them: "), input), chosen);
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    attempt(() => take([...event.dataTransfer.files]));
  });
  return make("div", {}, make("h2", {}, "1 Choose the files"),
    make("p", {}, "They stay on this machine: they are copied into the work folder of the app and sent nowhere."), drop, faults, plan, preview);
}

function plainName(file) {
  const bare = file.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9 _-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return bare.slice(0, 50) || "my-study";
}

/** What a person typed, as the mapping has it: numbers as numbers, a scale as two of them, nothing as null. */
function typed(text, kind) {
  if (text === "") return null;
  const plain = text.replace(",", ".");
  if (kind === "scale") return (text.match(/-?\d+(?:[.,]\d+)?/g) ?? []).map((part) => Number(part.replace(",", ".")));
  return kind === "number" && Number.isFinite(Number(plain)) ? Number(plain) : text;
}
