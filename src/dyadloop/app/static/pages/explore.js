// Exploring: sliders, a protocol, courses, gains, branches and synergy of one scenario or two. All of it is simulated.
import { field, fill, make, note, select } from "../dom.js";
import { ask, newest } from "../server.js";
import { chooser, describe, shipped } from "../chooser.js";
import { simulatedSign } from "../marks.js";
import { asked, changedFrom, decode, encode } from "../scenario.js";
import { takeAlong } from "../take_along.js";
import { sliders } from "../sliders.js";
import { protocolEditor } from "../protocol_editor.js";
import { courseFigures, loopPanel } from "../course_figures.js";
import { branchPanel, synergyPanel } from "../analyses.js";

const COLOURS = ["var(--blue)", "var(--red)"];
const BAND = 50;
const REST_MS = 150; // how long nothing must change before bands and loops are asked: a held arrow key lets go at every step

/** Show the page; the state is a permalink. */
export async function show(main, state) {
  const page = new Explore(main);
  await page.begin(state);
  return () => page.leave();
}

class Explore {
  constructor(main) {
    this.main = main;
    this.left = false;
    this.current = 0;
    this.results = [{}, {}];
    this.drags = [0, 1].map((index) => newest(() => this.average(index), (error) => this.failed(error)));
    this.changes = [0, 0]; // number of the last change of each scenario
    this.settled = [0, 0]; // that of the change whose bands are drawn
    this.resting = [null, null]; // what drops the work on a change that a newer one follows
  }

  leave() {
    this.left = true;
    for (const control of this.resting) control?.abort();
  }

  async begin(state) {
    this.scenarios = decode(state);
    this.faults = make("div", {});
    this.controls = make("div", { class: "tools-side" });
    this.results_room = make("div", {});
    fill(this.main, [
      make("h1", {}, "Explore ", simulatedSign()),
      make("p", { class: "hint" }, "Courses follow from a theory and its numbers; they are nobody's data."),
      this.faults, make("div", { class: "columns tools" }, this.controls, this.results_room),
    ]);
    await shipped();
    this.described = [];
    this.layout();
    for (const index of this.scenarios.keys()) await this.load(index);
  }

  get scenario() { return this.scenarios[this.current]; }

  failed(error) { if (!this.left) fill(this.faults, [note(error.message, "fault")]); }

  layout() {
    this.figures = make("div", { class: "figures" });
    this.legend = make("p", { class: "hint" });
    this.busy = make("p", { class: "busy", role: "status" });
    this.loops = make("div", {});
    this.analyses = make("div", {});
    fill(this.results_room, [
      make("section", { "aria-label": "Courses" }, make("h2", {}, "Courses ", simulatedSign()), this.toolbar(), this.busy, this.legend, this.figures),
      make("section", { "aria-label": "Loops" }, make("h2", {}, "Loops ", simulatedSign()), this.loops),
      this.analyses,
    ]);
  }

  toolbar() {
    const axis = select([["stretched", "sessions stretched"], ["days", "days"]], this.axis ?? "stretched", (value) => { this.axis = value; this.draw(); });
    return make("div", { class: "row" }, field("Time axis", axis), takeAlong(this, BAND));
  }

  /** What lines and bands are, and who was lost on the way. */
  told() {
    const found = this.results[this.current]?.courses;
    if (!found) return "";
    if (found.dyads === 1) return `Line: the average dyad, without noise.${found.lost ? " It drops out, or its course could not be computed to the end." : ""}`;
    const lost = found.lost ? ` ${found.lost} of them dropped out, or could not be computed to the end.` : "";
    return `Line: median of ${found.dyads} simulated dyads; bands: the middle 50 and 89 % of them.${lost}`;
  }

  async load(index) {
    try {
      this.described[index] = await describe(this.scenarios[index]);
    } catch (error) {
      this.failed(error);
      this.scenarios[index] = { ...decode("")[0] };
      this.described[index] = await describe(this.scenarios[index]);
    }
    const scenario = this.scenarios[index];
    scenario.shown = scenario.shown?.filter((id) => this.described[index].nodes.some((node) => node.id === id)) ?? [];
    if (!scenario.shown.length) scenario.shown = firstShown(this.described[index]);
    if (index === this.current) this.drawControls();
    this.changed(index, true);
  }

  drawControls() {
    const described = this.described[this.current];
    const moved = (settled) => this.changed(this.current, settled);
    fill(this.controls, [
      make("div", { class: "panel" }, this.scenarioChoice(), chooser(this.scenario, described, (choice) => this.choose(choice), (error) => this.failed(error))),
      make("details", {}, make("summary", {}, "Shown"), this.shownChoice(described, moved)),
      make("details", {}, make("summary", {}, "Protocol"), protocolEditor(this.scenario, described, moved)),
      make("details", { open: innerWidth >= 960 }, make("summary", {}, "Numbers"), sliders(this.scenario, described, moved)),
    ]);
    fill(this.analyses, [
      branchPanel(() => this.scenario, described, () => this.current),
      synergyPanel(() => this.scenario, described),
    ]);
  }

  scenarioChoice() {
    const two = this.scenarios.length > 1;
    const box = make("input", { type: "checkbox", checked: two, onchange: () => this.compare(!two) });
    const name = (index) => ["A (blue)", "B (red)"][index];
    return make("div", {}, make("label", {}, box, " two scenarios side by side"),
      two ? field("Scenario to change", select([["0", name(0)], ["1", name(1)]], String(this.current), (value) => { this.current = Number(value); this.drawControls(); })) : null);
  }

  compare(two) {
    this.scenarios = two ? [this.scenarios[0], structuredClone(this.scenarios[0])] : [this.scenarios[0]];
    this.current = two ? 1 : 0;
    this.described[1] = this.described[0];
    this.results[1] = two ? { ...this.results[0] } : {};
    this.resting[1]?.abort();
    this.drawControls();
    this.draw();
    this.drawLoops();
    if (two) this.changed(1, true);
    else { this.remember(); this.tell(); }
  }

  async choose(choice) {
    Object.assign(this.scenario, choice, { values: {}, shown: [], events: [] });
    await this.load(this.current);
  }

  shownChoice(described, moved) {
    return make("div", { class: "scroll short" }, described.nodes.filter((node) => node.dynamics === "state" || node.kind !== "state").map((node) => {
      const box = make("input", { type: "checkbox", checked: this.scenario.shown.includes(node.id), onchange: (event) => {
        const others = this.scenario.shown.filter((id) => id !== node.id);
        this.scenario.shown = event.target.checked ? [...others, node.id] : others;
        moved(true);
      } });
      return make("div", {}, make("label", {}, box, ` ${node.label}${node.person === "dyad" ? "" : `, ${node.person}`}`));
    }));
  }

  /** A number has changed: the average dyad at once, loops and bands once it is let go. */
  changed(index, settled) {
    this.since = performance.now();
    this.changes[index] += 1;
    this.resting[index]?.abort();
    this.figures.dataset.settled = "false";
    this.drags[index]();
    if (!settled) return;
    this.remember(); // not while it moves: browsers bear few changes of the address per second
    this.resting[index] = new AbortController();
    this.settle(index, this.changes[index], this.resting[index].signal).catch((error) => {
      if (error.name !== "AbortError") this.failed(error);
    });
  }

  remember() { history.replaceState(null, "", `#/explore/${encode(this.scenarios)}`); }

  /** The average dyad, asked once for the same numbers: letting go of a slider asks for what its last move did. */
  async average(index) {
    const [since, number] = [this.since, this.changes[index]];
    const question = asked(this.scenarios[index], 1);
    const text = JSON.stringify(question);
    const known = this.results[index];
    if (known.text === text && known.courses.dyads === 1) return;
    const found = await ask("/api/courses", question);
    if (this.left || this.settled[index] >= number || !this.scenarios[index]) return;
    Object.assign(this.results[index], { courses: found, text });
    this.shown(1, since);
  }

  /** Loops and bands, dropped as soon as something changes again. */
  async settle(index, number, signal) {
    await new Promise((done) => setTimeout(done, REST_MS));
    if (signal.aborted) return;
    const began = performance.now();
    const since = this.since;
    const clock = setInterval(() => fill(this.busy, [`computing, ${Math.round((performance.now() - began) / 1000)} s`]), 500);
    try {
      // numbers without a fixed point have courses all the same
      const loops = await ask("/api/loops", asked(this.scenarios[index]), signal).catch((error) => {
        if (error.status !== 400) throw error;
        return { none: error.message };
      });
      if (signal.aborted) return;
      this.results[index].loops = loops;
      this.drawLoops();
      const bands = await ask("/api/courses", asked(this.scenarios[index], BAND), signal);
      if (signal.aborted) return;
      Object.assign(this.results[index], { courses: bands, text: null });
      this.settled[index] = number;
      this.shown(BAND, since);
      this.tell();
    } finally {
      clearInterval(clock);
      fill(this.busy, []);
    }
  }

  /** Say on the element whether every scenario shows its bands. */
  tell() { this.figures.dataset.settled = String(this.scenarios.every((_, at) => this.settled[at] === this.changes[at])); }

  shown(dyads, since) {
    fill(this.faults, []);
    this.draw();
    this.main.dispatchEvent(new CustomEvent("drawn", { bubbles: true, detail: { dyads, ms: performance.now() - since } }));
  }

  draw() {
    const drawn = this.scenarios.map((_, index) => ({ courses: this.results[index]?.courses, colour: COLOURS[index] })).filter((entry) => entry.courses);
    fill(this.figures, courseFigures(drawn, this.axis ?? "stretched"));
    fill(this.legend, [this.told()]);
  }

  drawLoops() {
    const drawn = this.scenarios.map((scenario, index) => ({
      loops: this.results[index]?.loops, colour: COLOURS[index], name: this.scenarios.length > 1 ? "AB"[index] : "",
      changed: changedFrom(scenario, this.described[index]),
    })).filter((entry) => entry.loops);
    fill(this.loops, [loopPanel(drawn)]);
  }
}

function firstShown(described) {
  const nodes = described.nodes.filter((node) => node.dynamics === "state");
  const of = (kind) => nodes.filter((node) => node.kind === kind).map((node) => node.id);
  const found = [...of("oxytocin").slice(0, 2), ...of("component"), ...of("symptom").slice(0, 1)].slice(0, 8);
  return found.length ? found : nodes.slice(0, 6).map((node) => node.id);
}
