// The shell: which page is shown follows from the address, #/NAME/STATE.
import { fill, link, make, note } from "./dom.js";
import { watchState } from "./server.js";

const PAGES = [
  ["theory", "Theory"],
  ["explore", "Explore"],
  ["study", "Study"],
  ["plan", "Plan"],
  ["evidence", "Evidence"],
];

const main = document.getElementById("main");
let leave = null;
let shown = 0;

function asked() {
  const [, name = "", ...rest] = location.hash.split("/");
  const known = PAGES.some(([id]) => id === name);
  return { name: known ? name : "theory", state: known ? rest.join("/") : "" };
}

function drawLinks(current) {
  fill(document.getElementById("pages"), PAGES.map(([id, label]) => {
    const entry = link(label, `#/${id}`);
    if (id === current) entry.setAttribute("aria-current", "page");
    return make("li", {}, entry);
  }));
}

async function show(focus) {
  const { name, state } = asked();
  const number = ++shown;
  const label = PAGES.find(([id]) => id === name)[1];
  document.title = `${label} · dyadloop`;
  drawLinks(name);
  if (leave) leave();
  leave = null;
  const room = make("div", { class: `page page-${name}` });
  fill(main, [room]);
  if (focus) main.focus();
  try {
    const page = await import(`./pages/${name}.js`);
    const left = await page.show(room, state);
    if (number === shown) leave = left ?? null;
    else if (left) left();
  } catch (error) {
    fill(room, [make("h1", {}, label), note(error.message, "fault")]);
  }
}

document.getElementById("skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => show(true));
watchState(document.getElementById("state"));
show(false);
