// What a visitor takes along from the page Explore: Python, the theory file, the courses as CSV, the figures as one SVG.
import { button, download, fill, make, mark } from "./dom.js";
import { ask } from "./server.js";
import { asked, changedFrom, csv } from "./scenario.js";
import { svgText } from "./marks.js";

const GAP = 12;
const ROW = 16;

/** The buttons; `page` holds scenarios, results, figures and what is told below them. */
export function takeAlong(page, dyads) {
  const said = make("span", { class: "hint", role: "status" });
  const own = (name, ending) => `${name}${page.scenarios.length > 1 ? `-${"AB"[page.current]}` : ""}.${ending}`;
  const saved = (act) => async () => { try { await act(); } catch (error) { page.failed(error); } };
  const files = () => ask("/api/files", asked(page.scenario, dyads));
  const copied = async () => {
    await navigator.clipboard.writeText(location.href);
    fill(said, ["Link copied. It works where this app runs."]);
  };
  return [
    button("Python", saved(async () => download(own("explore", "py"), (await files()).python, "text/x-python"))),
    button("Theory file", saved(async () => download(own("theory", "json"), (await files()).theory, "application/json"))),
    button("CSV", () => download("simulated-courses.csv", csv(page.scenarios, page.results.map((r) => r.courses)), "text/csv")),
    button("SVG", () => download("simulated-courses.svg", svgText(sheet(page), true), "image/svg+xml")),
    button("Copy link", saved(copied)), said,
  ];
}

/** All figures on one sheet, with what they show in words. */
function sheet(page) {
  const svgs = [...page.figures.querySelectorAll("svg")];
  const [, , width, height] = svgs[0].getAttribute("viewBox").split(" ").map(Number);
  const words = [page.told(), ...page.scenarios.map((scenario, index) => {
    const name = page.scenarios.length > 1 ? `${["A (blue)", "B (red)"][index]}: ` : "";
    return name + [page.described[index].title, scenario.hypothesis, ...changedFrom(scenario, page.described[index])].filter(Boolean).join("; ");
  })];
  const top = GAP + ROW * words.length;
  const whole = [2 * width + 3 * GAP, top + Math.ceil(svgs.length / 2) * (height + GAP) + 2 * ROW];
  const parts = svgs.map((svg, index) => {
    const copy = svg.cloneNode(true);
    copy.setAttribute("x", GAP + (index % 2) * (width + GAP));
    copy.setAttribute("y", top + GAP + Math.floor(index / 2) * (height + GAP));
    return copy;
  });
  return mark("svg", { viewBox: `0 0 ${whole.join(" ")}`, width: whole[0], height: whole[1], role: "img", "aria-label": "Simulated courses" },
    mark("rect", { width: whole[0], height: whole[1], fill: "var(--paper)" }),
    words.map((text, index) => mark("text", { x: GAP, y: GAP + ROW * (index + 0.6) }, text)), parts);
}
