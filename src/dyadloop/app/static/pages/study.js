// Study: choose or bring in a study, check it, see what it can tell, fit it, read the results.
import { fill, link, make, note } from "../dom.js";
import { ask } from "../server.js";
import { jobBoard } from "../jobs.js";
import { importer } from "../study_import.js";
import { checked, whoWhen } from "../study_check.js";
import { claimsAsked, forms } from "../study_fit.js";
import { results } from "../study_results.js";

export async function show(main, state) {
  if (state === "import") return showImport(main);
  return state ? showStudy(main, decodeURIComponent(state)) : showList(main);
}

async function showList(main) {
  fill(main, [make("p", { role: "status" }, "Reading …")]);
  const studies = await ask("/api/studies");
  const cards = studies.map((study) => make("li", {}, link(
    [make("strong", {}, study.name), make("span", {}, study.opened ? "opened on the command line" : "made here"), make("span", {}, study.path)],
    `#/study/${encodeURIComponent(study.key)}`, { class: "card" })));
  fill(main, [
    make("h1", {}, "Study"),
    make("p", {}, "A study is a folder of tables: who met whom, when, and what was measured. Here it is checked, fitted to the theory, and each claim of the theory gets a verdict."),
    make("h2", {}, "Start with your own table"),
    make("p", {}, "Bring an export of a questionnaire program, a spreadsheet or an SPSS file. The app says what it takes each column for, and why; you correct it before anything is written."),
    make("p", {}, link("Bring in a table", "#/study/import", { class: "main press", id: "bring-in" })),
    make("h2", {}, "Or open a study folder"),
    studies.length ? make("ul", { class: "cards" }, cards)
      : note("No study is open. Start the app with the folder behind the command, such as: dyadloop app my-study"),
  ]);
}

async function showImport(main) {
  fill(main, [make("p", {}, link("← all studies", "#/study")), make("h1", {}, "Bring in a table")]);
  main.append(importer((key) => { location.hash = `#/study/${encodeURIComponent(key)}`; }));
}

async function showStudy(main, key) {
  fill(main, [make("p", {}, link("← all studies", "#/study")), make("p", { role: "status" }, "Reading the study …")]);
  const study = await ask(`/api/studies/${encodeURIComponent(key)}`);
  const sections = [];
  const add = (id, title, ...children) => sections.push([id, title, make("section", { id, "aria-labelledby": `${id}-title` }, make("h2", { id: `${id}-title`, tabindex: "-1" }, title), children)]);
  add("check", study.sound ? "Check" : "Faults to mend", checked(study));
  let board = null;
  if (study.sound) {
    const output = results();
    const told = claimsAsked(study, () => board.refresh());
    add("when", "Who was measured when", whoWhen(study));
    add("tell", "What it can tell", told.element);
    const asked = forms(study, () => board.refresh());
    add("fit", "Fit", asked);
    board = jobBoard({
      belongs: (job) => job.about === key && job.kind !== "claims",
      ended: (job) => output.ended(job),
      empty: "Nothing was started yet. A fit takes minutes; it goes on while you look at other pages, and can be stopped and resumed without losing draws.",
    });
    add("work", "Work", board.element);
    add("results", "Results", output.element);
  }
  fill(main, [
    make("p", {}, link("← all studies", "#/study")),
    make("h1", {}, study.name, " ", study.simulated ? make("span", { class: "simulated" }, "SIMULATED") : null),
    study.title ? make("p", {}, study.title) : null,
    study.simulated ? note("Simulated data: nothing here is about real persons.", "warning") : null,
    sections.length > 1 ? make("nav", { "aria-label": "Steps" }, make("ol", { class: "steps" }, sections.map(([id, title]) => make("li", {}, jump(title, id))))) : null,
    sections.map(([, , section]) => section),
  ]);
  return () => { if (board) board.leave(); };
}

/** A link to a place of this page; the address stays that of the page. */
function jump(text, id) {
  const anchor = link(text, "#/study");
  anchor.addEventListener("click", (event) => {
    event.preventDefault();
    const title = document.getElementById(`${id}-title`);
    title.scrollIntoView();
    title.focus({ preventScroll: true });
  });
  return anchor;
}
