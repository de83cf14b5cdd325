// The protocol: how many sessions, how far apart, how long, and what happens in which.
import { button, field, fill, make, select } from "./dom.js";

/** "2, 4-6" as [2, 4, 5, 6]; what is no number is left out. */
export function numbersIn(text) {
  return text.split(",").flatMap((part) => {
    const [first, last = first] = part.split("-").map((piece) => parseInt(piece, 10));
    if (!Number.isInteger(first) || !Number.isInteger(last) || last < first) return [];
    return Array.from({ length: Math.min(64, last - first + 1) }, (_, index) => first + index);
  });
}

/** The editor; it changes the scenario and calls `moved(true)`. */
export function protocolEditor(scenario, described, moved) {
  const number = (key, label, bounds) => field(label, make("input", { type: "number", value: scenario[key], ...bounds, onchange: (event) => {
    const value = Number(event.target.value);
    if (!event.target.checkValidity() || !Number.isFinite(value)) { event.target.reportValidity(); return; }
    scenario[key] = value;
    moved(true);
  } }));
  const list = make("div", {});
  const events = described.events.map(({ event }) => event);

  function draw() {
    fill(list, scenario.events.map((entry, place) => eventRow(entry, described, moved, draw, () => {
      scenario.events.splice(place, 1);
      draw();
      moved(true);
    })));
  }

  draw();
  const add = button("Add an event", () => {
    scenario.events.push({ event: events[0], sessions: [Math.min(4, scenario.sessions)], amount: usual(described, events[0]) });
    draw();
    moved(true);
  }, { disabled: !events.length });
  return make("div", {},
    make("div", { class: "row" }, number("sessions", "Sessions", { min: 1, max: 64, step: 1 }), number("every_days", "Every [d]", { min: 0.5, max: 365, step: "any" }),
      number("length_minutes", "Length [min]", { min: 1, max: 480, step: "any" }), number("seed", "Seed", { min: 0, max: 999999, step: 1 })),
    make("h2", {}, "Doses, work on a component, ruptures"), list, add);
}

function usual(described, name) {
  return described.events.find((entry) => entry.event === name)?.per ?? 1;
}

/** What an amount is counted in: an event's coefficient holds for so much of it. */
function amountWords(described, name) {
  return `${name === "dose" ? "IU; " : ""}usual: ${usual(described, name)}`;
}

function eventRow(entry, described, moved, redraw, remove) {
  const options = described.events.map(({ event, target }) => [event, `${event.replaceAll("_", " ")} (${target})`]);
  const sessions = make("input", { type: "text", value: entry.sessions.join(", "), onchange: (event) => { entry.sessions = numbersIn(event.target.value); moved(true); } });
  const amount = make("input", { type: "number", step: "any", value: entry.amount, onchange: (event) => { entry.amount = Number(event.target.value) || 0; moved(true); } });
  return make("div", { class: "event" },
    field("Event", select(options, entry.event, (value) => { entry.event = value; redraw(); moved(true); })),
    field("In sessions", sessions, "such as 2, 4-6"), field("Amount", amount, amountWords(described, entry.event)), button("Remove", remove, { "aria-label": `Remove ${entry.event}` }));
}
