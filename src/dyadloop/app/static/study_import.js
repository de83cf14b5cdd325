// Bring in a table: drop files, see what each column is taken for and why, correct it, preview, write the study.
import { button, fill, make, note, table } from "./dom.js";
import { mappingForm } from "./import_form.js";
import { ask, send } from "./server.js";

/** The whole import; `done(key)` is called with the study that was written. */
export function importer(done) {
  const state = { upload: null, files: [], answers: {}, text: null, name: "", turn: 0 };
  const faults = make("div", { "aria-live": "assertive" });
  const chosen = make("p", { class: "hint" });
  const plan = make("div", {});
  const said = make("p", { class: "hint", role: "status" });
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
    const turn = (state.turn += 1);
    fill(preview, []);
    fill(said, ["Reading the table …"]);
    try {
      const found = await post("plan");
      if (turn === state.turn) keepingTyped(plan, () => fill(plan, drawn(found))); // a newer answer is on its way
    } finally {
      if (turn === state.turn) fill(said, []);
    }
  }

  const post = (what) => ask(`/api/imports/${state.upload}/${what}`, { name: state.name, answers: state.answers, text: state.text });

  const act = {
    answer: (place, value) => { state.answers[place] = value; attempt(understand); },
    rename: (name) => { state.name = name; attempt(understand); },
    rewrite: (text) => { state.text = text; state.answers = {}; attempt(understand); },
  };

  function drawn(found) {
    return [
      make("h2", {}, "2 How the table is understood"),
      mappingForm(found, state.name, act),
      make("p", { class: "row" }, button("Preview", () => attempt(look), { class: "main", id: "preview", disabled: found.open.length > 0 }), make("span", { class: "hint" }, "Nothing is written yet.")),
    ];
  }

  async function look() {
    fill(preview, previewed(await post("preview"), () => attempt(async () => done((await post("write")).key))));
    preview.querySelector("h2").scrollIntoView();
  }

  const drop = dropZone((files) => attempt(() => take(files)), chosen);
  return make("div", {}, make("h2", {}, "1 Choose the files"),
    make("p", {}, "They stay on this machine: they are copied into the work folder of the app and sent nowhere."), drop, faults, said, plan, preview);
}

function previewed(found, write) {
  return [
    make("h2", {}, "3 What the study will hold"),
    make("p", {}, `${found.counts.persons} persons, ${found.counts.sessions} sessions, ${found.counts.values} values.`),
    table("Account of every cell", ["table", "cells", "used", "reported", "taken in another form"], found.tables.map((one) => [one.table, one.cells, one.used, one.reported, one.changed])),
    found.remarks.length ? table("Cells that are not taken as they stand", ["what", "first place", "entry", "cells", "why"], found.remarks.map((one) => [one.kind, one.place, one.text, one.cells, one.why])) : null,
    Object.entries(found.rows).map(([name, one]) => make("details", {}, make("summary", {}, `First ${name}`), table(`First ${name}`, one.columns, one.rows))),
    make("p", {}, button("Write the study", write, { class: "main", id: "write" })),
  ];
}

/** Draw a form anew, and leave the field that somebody is in as it is: its text, half typed, and its cursor. */
function keepingTyped(form, draw) {
  const old = form.contains(document.activeElement) ? document.activeElement : null;
  const typed = old?.matches("input[type=text]") && old.value !== old.defaultValue;
  draw();
  const now = old?.id ? document.getElementById(old.id) : null;
  now?.focus({ preventScroll: true });
  if (!now || !typed) return;
  now.value = old.value;
  now.setSelectionRange(old.selectionStart, old.selectionEnd);
}

function dropZone(take, chosen) {
  const input = make("input", { type: "file", multiple: true, id: "files" });
  input.addEventListener("change", () => take([...input.files]));
  const drop = make("div", { class: "drop" }, make("p", {}, "Drop one or more files here: CSV, Excel, SPSS, REDCap and others."), make("p", {}, make("label", { for: "files" }, "or choose them: "), input), chosen);
  drop.addEventListener("dragover", (event) => { event.preventDefault(); drop.classList.add("over"); });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  return drop;
}

function plainName(file) {
  const bare = file.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9 _-]/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return bare.slice(0, 50) || "my-study";
}
