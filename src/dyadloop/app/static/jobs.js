// Long work: what is under way, how far it is, and the buttons to stop it and to go on.
import { button, fill, make, note, shown } from "./dom.js";
import { ask } from "./server.js";

const LIVE = ["waiting", "running", "stopping", "elsewhere"];
const RESUMABLE = ["interrupted", "failed"];

/** Whether a job is still under way. */
export function isLive(job) {
  return LIVE.includes(job.state);
}

/** Whether a job has left something to look at. */
export function hasResult(job) {
  return job.state === "done" || job.state === "not converged";
}

/** How far a job is, in words. */
export function words(job) {
  const { progress, kept, total } = job;
  if (job.state === "waiting") return job.ahead ? `waits for ${job.ahead + 1} before it` : "waits for the one before it";
  if (job.state === "done") return `done in ${duration(job.seconds)}`;
  if (job.state === "not converged") return `ended after ${duration(job.seconds)}, not converged: too few draws, see the messages`;
  if (job.state === "failed") return "failed; the messages say why";
  if (job.state === "interrupted") {
    if (total) return `interrupted; ${kept} of ${total} draws, warm-up included, are kept; Resume goes on from there`;
    return kept ? `interrupted; ${kept} ${job.kind === "compare" ? "draws" : "parts"} are kept; Resume goes on from there` : "interrupted; Resume starts it again";
  }
  if (job.state === "elsewhere") return "at work under another window of the app, or ending because that one has ended";
  const begun = job.state === "stopping" ? "stopping safely: the block under way is finished" : "at work";
  const count = progress.done !== null && progress.total ? `${begun}: ${progress.part ?? "sampling"} ${progress.done} of ${progress.total}` : begun;
  if (progress.done !== null && progress.done === progress.total && progress.messages.length) return `${begun}: ${progress.messages.at(-1)}`;
  return progress.divergences ? `${count}, ${progress.divergences} divergences` : count;
}

function duration(seconds) {
  if (seconds === null) return "no time";
  return seconds < 90 ? `${shown(seconds, 2)} s` : `${shown(seconds / 60, 2)} min`;
}

function row(act) {
  const state = make("p", { class: "job-state" });
  const title = make("h3", {});
  const bar = make("progress", { max: 1, "aria-label": "how far" });
  const stop = button("Stop", () => act("stop"));
  const resume = button("Resume", () => act("resume"), { class: "main" });
  const more = button("", () => act("more", { draws: Number(more.dataset.draws) }), { class: "main" });
  const messages = make("pre", { class: "messages" });
  const line = make("code", {});
  const element = make("li", { class: "job panel" }, title, bar, state, make("div", { class: "row" }, stop, resume, more),
    make("details", {}, make("summary", {}, "Messages and command"), messages, line));
  function update(job) {
    fill(title, [job.title, " ", job.simulated ? make("span", { class: "simulated" }, "SIMULATED") : null, make("span", { class: "hint" }, ` ${job.made}`)]);
    fill(state, [words(job)]);
    element.dataset.state = job.state;
    const whole = job.progress.total || job.total;
    const done = job.state === "interrupted" ? job.kept : job.progress.done;
    bar.hidden = !isLive(job) && !(job.state === "interrupted" && job.total);
    if (whole && done !== null) { bar.max = whole; bar.value = done; } else bar.removeAttribute("value");
    stop.hidden = !isLive(job) || job.state === "elsewhere";
    stop.disabled = job.state === "stopping";
    resume.hidden = !RESUMABLE.includes(job.state);
    const draws = job.kind === "fit" && job.state === "not converged" ? /--draws (\d+)/.exec(job.progress.messages.join(" "))?.[1] : null;
    more.hidden = !draws;
    more.dataset.draws = draws ?? "";
    fill(more, [`Go on to ${draws} draws of each chain`]);
    fill(messages, [job.progress.messages.join("\n") || "no messages yet"]);
    fill(line, [job.command]);
  }
  return { element, update };
}

/**
 * The jobs that belong to a page. `ended(job)` is called for each that has ended, those of before included.
 * Rows stay the same elements while they change, so that a keyboard keeps its place.
 */
export function jobBoard({ belongs, ended, empty }) {
  const list = make("ul", { class: "jobs" });
  const hint = make("p", { class: "hint" }, empty);
  const fault = make("div", {});
  const element = make("div", {}, hint, fault, list);
  const rows = new Map();
  const told = new Map();
  let timer = null;
  let left = false;

  async function act(name, what, body = {}) {
    try {
      await ask(`/api/jobs/${name}/${what}`, body);
      fill(fault, []);
    } catch (error) {
      fill(fault, [note(error.message, "fault")]);
    }
    await refresh();
  }

  async function refresh() {
    clearTimeout(timer);
    if (left) return;
    let jobs = [];
    try {
      jobs = (await ask("/api/jobs")).filter(belongs);
    } catch (error) {
      fill(fault, [note(error.message, "fault")]);
      return;
    }
    if (left) return;
    hint.hidden = jobs.length > 0;
    jobs.forEach((job, place) => {
      if (!rows.has(job.id)) rows.set(job.id, row((what, body) => act(job.id, what, body)));
      const { element: entry, update } = rows.get(job.id);
      update(job);
      if (list.children[place] !== entry) list.insertBefore(entry, list.children[place] ?? null);
    });
    for (const job of [...jobs].reverse()) {
      if (told.get(job.id) !== job.state && !isLive(job)) ended(job);
      told.set(job.id, job.state);
    }
    if (jobs.some(isLive)) timer = setTimeout(refresh, 1000);
  }

  refresh();
  return { element, refresh, leave: () => { left = true; clearTimeout(timer); } };
}
