// The form of an import: each place of the mapping with its value, the reason of the guess, and what may stand there.
import { button, field, make, note, select, table } from "./dom.js";

const NONE = "\u0000";
const WORDS = { ymd: "year-month-day", dmy: "day.month.year", mdy: "month/day/year", sessions: "a session", persons: "a person", nothing: "leave the table out", before: "before the session", after: "after the session", ".": "point: 3.5", ",": "comma: 3,5" };

/**
 * What was understood, as a form. `act` has `answer(place, value)`, `rename(name)` and `rewrite(text)`.
 */
export function mappingForm(found, name, act) {
  const form = { found, open: new Map(found.open.map((one) => [one.place, one.what])), ...act };
  return [
    asked(form.open.size),
    found.updates ? note(`A study “${name}” is there already. It is brought up to date, by the mapping of its first import; choose another name for a new study.`, "warning") : null,
    make("fieldset", {}, make("legend", {}, "Study"), make("div", { class: "fields" }, folder(name, form), found.study.map((one) => entry(one, form)))),
    found.tables.map((one) => part(one, form)),
    mapping(form),
  ];
}

function asked(count) {
  if (!count) return note("Every question is answered. Look the guesses over, then preview.");
  const words = count === 1 ? ["question is", "it"] : ["questions are", "them"];
  return note(`${count} ${words[0]} open, marked below: nothing in the files answers ${words[1]}.`, "warning");
}

function folder(name, form) {
  const input = make("input", { type: "text", name: "study-name", value: name, required: true, id: "study-name" });
  input.addEventListener("change", () => form.rename(input.value.trim()));
  return field("Name of the study folder", input);
}

function part(one, form) {
  const scores = one.scores.map((score) => [score.name, score.source, ...score.fields.map((each) => control(each, form, `${score.name} ${each.words}`))]);
  const reasons = one.scores.map((score) => [score.name, [score.why, ...score.fields.map((each) => each.why && `${each.words}: ${each.why}`)].filter(Boolean).join("; ") || "–"]);
  const left = Object.entries(one.left_out);
  return make("fieldset", {}, make("legend", {}, `${one.name}: ${one.rows} rows, ${one.cells} cells`),
    make("details", { open: true }, make("summary", {}, "First rows of the file"), table(`First rows of ${one.name}`, one.columns, one.preview)),
    make("div", { class: "fields" }, one.fields.map((each) => entry(each, form))),
    one.scores.length ? table("Columns that are taken as measurements", ["name", "from", "measures", "answered by", "given", "scale", "no answer", "unit", "enters the fit"], scores, { class: "stack scores" }) : note("No column is taken as a measurement.", "warning"),
    one.scores.length ? table("Why they are taken so", ["name", "why"], reasons) : null,
    left.length ? make("details", {}, make("summary", {}, `Columns that are left out (${left.length})`), table("Left out", ["column", "why"], left)) : null);
}

function entry(one, form) {
  const box = field(one.words, control(one, form, null), one.why || null);
  if (form.open.has(one.place)) {
    box.classList.add("asked");
    box.append(make("p", { class: "hint" }, `Please say: ${form.open.get(one.place)}`));
  }
  return box;
}

function control(one, form, label) {
  const asked = one.value === "?";
  const id = `place-${one.place.replace(/[^A-Za-z0-9]/g, "-")}`;
  const named = { id, "aria-label": label, class: asked ? "asked" : null };
  const changed = (value) => form.answer(one.place, value);
  if (one.kind === "yes") return make("input", { ...named, type: "checkbox", checked: one.value === true, onchange: (event) => changed(event.target.checked) });
  if (one.kind === "choice" || one.kind === "column" || one.kind === "quantity") {
    const offered = one.kind === "quantity" ? form.found.quantities : one.choices;
    const current = one.value === null || asked ? NONE : String(one.value);
    const more = offered.includes(current) || current === NONE ? [] : [current];
    const first = asked ? [[NONE, "please choose"]] : one.kind === "column" ? [[NONE, "none"]] : current === NONE ? [[NONE, "not said"]] : [];
    const box = select([...first, ...[...more, ...offered].map((value) => [value, (one.kind === "choice" && WORDS[value]) || value])], current, (value) => changed(value === NONE ? null : value));
    for (const [key, value] of Object.entries(named)) if (value) box.setAttribute(key, value);
    return box;
  }
  const shown = asked || one.value === null ? "" : Array.isArray(one.value) ? one.value.join(one.kind === "codes" ? ", " : " to ") : one.value;
  const input = make("input", { ...named, type: "text", value: shown, placeholder: { scale: "1 to 7", codes: asked ? "-77, or none" : "none" }[one.kind] ?? null, inputmode: one.kind === "number" ? "decimal" : null });
  input.addEventListener("change", () => changed(typed(input.value.trim(), one.kind)));
  return input;
}

function mapping(form) {
  const text = make("textarea", { rows: 14, spellcheck: "false", "aria-label": "import.yaml" });
  text.value = form.found.text;
  return make("details", {}, make("summary", {}, "The mapping as a file (import.yaml)"),
    make("p", {}, "The same as the form and more. It is kept in the study folder, so that a newer export can be brought in by the same rules."),
    text, make("p", {}, button("Use this text", () => form.rewrite(text.value))));
}

/** What a person typed, as the mapping has it: numbers as numbers, a scale as two of them, nothing as null. */
function typed(text, kind) {
  if (kind === "codes") return text === "" ? "none" : text;
  if (text === "") return null;
  const plain = text.replace(",", ".");
  if (kind === "scale") return (text.match(/-?\d+(?:[.,]\d+)?/g) ?? []).map((part) => Number(part.replace(",", ".")));
  return kind === "number" && Number.isFinite(Number(plain)) ? Number(plain) : text;
}
