// Courses with bands, the dials of the loops and the gain matrix, of one scenario or two.
import { make, shown } from "./dom.js";
import { band, cells, dial, figure, line, range } from "./marks.js";

/** Places of moments on the axis: days, or every session as wide as the gap behind it. */
function placed(courses, axis) {
  if (axis === "days") return courses.days;
  const found = [];
  let inside = 0;
  let outside = 0;
  const counts = new Map();
  courses.session.forEach((number, at) => {
    if (at === 0) return;
    const count = counts.get(number) ?? [0, 0];
    count[courses.in_session[at] ? 0 : 1] += 1;
    counts.set(number, count);
  });
  courses.session.forEach((number, at) => {
    if (at === 0) { found.push(1); return; }
    if (courses.session[at - 1] !== number || at === 1) { inside = 0; outside = 0; }
    const [of, between] = counts.get(number);
    if (courses.in_session[at]) inside += 1;
    else outside += 1;
    found.push(number + 0.5 * inside / (of || 1) + 0.5 * outside / (between || 1));
  });
  return found;
}

function sessionTicks(courses) {
  const last = courses.session.at(-1);
  const step = last > 32 ? 8 : last > 12 ? 4 : last > 6 ? 2 : 1;
  const found = [];
  for (let number = 1; number <= last; number += step) found.push([number, String(number)]);
  return found;
}

/** One figure per variable; entries hold courses and a colour. */
export function courseFigures(entries, axis) {
  if (!entries.length) return [];
  const ids = [...new Set(entries.flatMap((entry) => entry.courses.variables.map((variable) => variable.id)))];
  const places = entries.map((entry) => placed(entry.courses, axis));
  const longest = entries.reduce((a, b) => (b.courses.session.at(-1) > a.courses.session.at(-1) ? b : a));
  const ticks = axis === "days" ? undefined : sessionTicks(longest.courses);
  return ids.map((id) => {
    const series = entries.map((entry, index) => ({ ...entry, xs: places[index], variable: entry.courses.variables.find((v) => v.id === id) })).filter((s) => s.variable);
    const { label, unit } = series[0].variable;
    const person = id.endsWith("_patient") ? ", patient" : id.endsWith("_therapist") ? ", therapist" : "";
    const lists = series.flatMap(({ variable }) => [variable.low ?? variable.middle, variable.high ?? variable.middle]);
    const chart = figure({
      width: 380, height: 176, title: `Simulated course of ${label}${person}`, caption: `${label}${person}`,
      x: { range: [places.flat().reduce((a, b) => Math.min(a, b)), places.flat().reduce((a, b) => Math.max(a, b))], ticks, label: axis === "days" ? "days" : "session" },
      y: { range: range(lists), label: unit === "1" ? "share" : unit },
    });
    for (const { xs, variable, colour } of series) {
      if (variable.low) {
        band(chart, xs, variable.low, variable.high, { colour, opacity: 0.14 });
        band(chart, xs, variable.lower, variable.upper, { colour, opacity: 0.24 });
      }
      line(chart, xs, variable.middle, { colour });
    }
    return chart.svg;
  });
}

/** Dials against 0 and 1 and the gain matrix of each scenario. */
export function loopPanel(entries) {
  return make("div", { class: entries.length > 1 ? "columns two" : "columns" }, entries.map(({ loops, colour, name, changed }) => {
    const head = name ? make("h3", {}, `Scenario ${name}`) : null;
    const what = changed.length ? make("p", { class: "hint" }, changed.join(", ")) : null;
    if (loops.none) return make("div", {}, head, make("p", {}, loops.none));
    const lasting = loops.session_loop_gain;
    const words = lasting === null ? "the rest does not settle by itself" : lasting >= 1 ? "sustains itself from session to session" : lasting > 0 ? "amplifies and fades" : "does not amplify";
    return make("div", {}, head, what,
      make("div", { class: "figures" },
        dial(lasting, { title: "from session to session", words, colour }),
        dial(loops.loop_gain, { title: "as if sessions never ended", words: "overstates the loop of a real calendar", colour })),
      make("p", {}, `From session to session the loop ${words}: gain ${shown(lasting)}. The slowest course keeps ${shown(100 * loops.multiplier)} % from one session to the next${loops.stable ? "" : ", so it runs away"}.`),
      loops.kinks ? make("p", { class: "hint" }, `Gains are one-sided at ${loops.kinks}.`) : null,
      make("details", {}, make("summary", {}, "Gain matrix"),
        make("p", { class: "hint" }, "Lasting change of a row per lasting unit of a column, in a session that never ends."),
        make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Gain matrix" },
          cells(loops.gain, loops.names.map(plain), loops.names.map(plain), { title: "Gain matrix, simulated", size: 25, wide: 36 }))));
  }));
}

function plain(name) {
  return name.replaceAll("_", " ");
}
