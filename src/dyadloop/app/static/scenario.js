// A scenario as data: what is asked of the server, what stands in the address, and its courses as a table.

const FIRST = { theory: "framework", hypothesis: null, on: [], values: {}, sessions: 16, every_days: 7, length_minutes: 50, events: [], seed: 1, shown: [] };

/** The scenarios of an address; what it does not say is as at first. */
export function decode(state) {
  try {
    const found = JSON.parse(decodeURIComponent(state));
    const sound = Array.isArray(found) ? found.slice(0, 2).filter((entry) => entry && typeof entry === "object") : [];
    if (sound.length) return sound.map((entry) => ({ ...structuredClone(FIRST), ...known(entry) }));
  } catch { /* an address that somebody has cut or changed is a first visit */ }
  return [structuredClone(FIRST)];
}

function known(entry) {
  return Object.fromEntries(Object.entries(entry).filter(([key, value]) => key in FIRST && sameKind(value, FIRST[key])));
}

function sameKind(value, first) {
  if (first === null) return value === null || typeof value === "string";
  return typeof value === typeof first && Array.isArray(value) === Array.isArray(first) && value !== null;
}

/** The scenarios as a part of an address: only what differs from the first visit. */
export function encode(scenarios) {
  const short = scenarios.map((scenario) => Object.fromEntries(Object.entries(scenario).filter(([key, value]) =>
    key in FIRST && JSON.stringify(value) !== JSON.stringify(FIRST[key]))));
  return encodeURIComponent(JSON.stringify(short));
}

/** What is asked of the server. */
export function asked(scenario, dyads = null) {
  const { shown, seed, ...rest } = scenario;
  return dyads === null ? rest : { ...rest, seed, shown, dyads };
}

/** The numbers that differ from the theory file, in words. */
export function changedFrom(scenario, described) {
  const units = Object.fromEntries((described?.parameters ?? []).map((entry) => [entry.id, entry.unit]));
  return Object.entries(scenario.values).map(([id, value]) => `${id} = ${value}${units[id] && units[id] !== "1" ? ` ${units[id]}` : ""}`);
}

function quoted(text) {
  const plain = String(text ?? "");
  return /[",\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

/** Courses as a table: one row per moment and variable. */
export function csv(scenarios, results) {
  const rows = [["simulated", "scenario", "dyads", "day", "in_session", "variable", "unit", "low_89", "low_50", "median", "high_50", "high_89"]];
  scenarios.forEach((_, index) => {
    const found = results[index];
    for (const entry of found?.variables ?? []) {
      found.days.forEach((day, at) => rows.push(["SIMULATED", "AB"[index], found.dyads, day, found.in_session[at], entry.id, entry.unit,
        entry.low?.[at], entry.lower?.[at], entry.middle[at], entry.upper?.[at], entry.high?.[at]]));
    }
  });
  return `${rows.map((row) => row.map(quoted).join(",")).join("\n")}\n`;
}
