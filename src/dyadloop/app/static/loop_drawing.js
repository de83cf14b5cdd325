// The loop as a drawing: oxytocin and what it is made of in the middle, components above, symptoms below.
import { arrowhead, bent, canvas } from "./marks.js";
import { mark } from "./dom.js";

const FILLS = { oxytocin: "var(--blue-soft)", component: "var(--panel)", symptom: "var(--red-soft)" };

function box(text, x, y) {
  return { text, x, y, width: 12 + 6.6 * text.length, height: 22 };
}

/** Where each variable stands, by id. */
export function places(variables, width, height) {
  const isHub = (variable) => variable.kind === "oxytocin" || variable.dynamics === "definition";
  const hub = variables.filter(isHub).sort((a, b) => (a.kind === "oxytocin") - (b.kind === "oxytocin"));
  const above = variables.filter((v) => !isHub(v) && v.kind === "component");
  const below = variables.filter((v) => !isHub(v) && v.kind === "symptom");
  const others = variables.filter((v) => !isHub(v) && v.kind !== "component" && v.kind !== "symptom");
  const found = {};
  const arc = (group, from, to, across, up) => group.forEach((variable, index) => {
    const angle = Math.PI * (group.length === 1 ? (from + to) / 2 : from + (to - from) * index / (group.length - 1));
    found[variable.id] = box(variable.id.replaceAll("_", " "), width / 2 + across * Math.cos(angle), height / 2 - up * Math.sin(angle));
  });
  const narrow = width < 500;
  arc(above, 0.94, 0.06, width / 2 - 48, height / 2 - 26);
  const [from, to] = below.length > 2 ? [-0.85, -0.15] : [-0.75, -0.25];
  arc(below, from, to, width / 2 - 60, height / 2 - 20);
  const order = [...hub.filter((v) => v.kind !== "oxytocin"), ...hub.filter((v) => v.kind === "oxytocin")];
  if (order.length === 3) [order[1], order[2]] = [order[2], order[1]];  // drive, oxytocin, signal
  order.forEach((variable, index) => {
    found[variable.id] = box(variable.id.replaceAll("_", " "), width / 2, height / 2 + 62 * (index - (order.length - 1) / 2));
  });
  others.forEach((variable, index) => {
    const left = index % 2 === 0;
    const row = Math.floor(index / 2);
    const x = narrow ? 50 : 60;
    found[variable.id] = box(variable.id.replaceAll("_", " "), left ? x : width - x, height / 2 + 34 + (narrow ? 44 : 38) * row);
  });
  return found;
}

/** Say in words what an arrow does. */
export function inWords(arrow) {
  const effects = arrow.sources.map((source, index) => `${source} ${arrow.signs[index] > 0 ? "raises" : "lowers"}`);
  return `${effects.join(", ")} ${arrow.target}, ${arrow.gate === "session" ? "in session only" : "always"}`;
}

/** The drawing; `onpick` is told the id of the arrow that was chosen. */
export function loopDrawing(described, picked, onpick) {
  const narrow = innerWidth < 700;
  const [width, height] = narrow ? [366, 560] : [680, 520];
  const where = places(described.variables, width, height);
  const svg = canvas(width, height, `The loop of ${described.title}`, { role: "group" });
  svg.append(mark("defs", {}, arrowhead("raises", "var(--blue)"), arrowhead("lowers", "var(--red)"), arrowhead("absent", "var(--field)")));
  for (const arrow of described.arrows) svg.append(...drawn(arrow, where, picked, onpick));
  for (const variable of described.variables) {
    const { text, x, y, width: across, height: up } = where[variable.id];
    svg.append(mark("g", {}, mark("title", {}, `${variable.label} [${variable.unit}]`),
      mark("rect", { x: x - across / 2, y: y - up / 2, width: across, height: up, rx: 6, fill: FILLS[variable.kind] ?? "var(--paper)", stroke: "var(--field)" }),
      mark("text", { x, y: y + 4, "text-anchor": "middle" }, text)));
  }
  return svg;
}

function drawn(arrow, where, picked, onpick) {
  const act = () => onpick(arrow.id);
  const isZero = arrow.number?.value === 0;
  const group = mark("g", {
    class: "arrow", role: "button", tabindex: 0, "aria-label": `${arrow.id}: ${inWords(arrow)}`, "aria-pressed": arrow.id === picked,
    "data-arrow": arrow.id, onclick: act,
    onkeydown: (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); act(); } },
  }, mark("title", {}, `${arrow.id}: ${inWords(arrow)}`));
  arrow.sources.forEach((source, index) => {
    if (!where[source] || !where[arrow.target]) return;
    const raises = arrow.signs[index] * (arrow.number?.value < 0 ? -1 : 1) > 0;
    const { path } = bent(where[source], where[arrow.target], arrow.sources.length > 1 ? 0.2 : 0.11);
    const [kind, colour] = isZero ? ["absent", "var(--field)"] : raises ? ["raises", "var(--blue)"] : ["lowers", "var(--red)"];
    group.append(
      mark("path", { class: "hit", d: path, fill: "none", stroke: "transparent", "stroke-width": 11 }),
      mark("path", {
        class: "shaft", d: path, fill: "none", stroke: colour, "stroke-width": arrow.gate === "session" ? 1.3 : 1.9,
        "stroke-opacity": isZero ? 0.45 : 0.85, "stroke-dasharray": raises ? null : "5 3", "marker-end": `url(#${kind})`,
      }),
    );
  });
  return [group];
}
