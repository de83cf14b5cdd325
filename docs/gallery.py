"""Draw every kind of figure into docs/gallery/ and write docs/gallery.md: ``python docs/gallery.py [NAME...]``.

Figures of real data: the survival pairs, the evidence table and the report of the school study. All others are SIMULATED
or follow from assumed numbers, and are marked.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

import dyadloop as dl
from dyadloop.design import Assurance
from dyadloop.evidence import edge_evidence
from dyadloop.measures.raw import Measured
from dyadloop.reporting import design_figures, evidence, explore, figures, measures

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "gallery"
SURVIVAL = ROOT / "examples" / "survival"


@dataclass(frozen=True)
class Entry:
    """A figure: its group, what it shows, the command that draws it and the function that does so here."""

    group: str
    shows: str
    call: str
    draw: Callable[[], str]
    simulated: bool = False  # made of numbers that nobody measured

    def drawing(self) -> str:
        """Return the figure, marked where it shows what nobody measured."""
        drawn = self.draw()
        return figures.simulated_mark(drawn) if self.simulated else drawn


def of_report(label: str) -> Callable[[], str]:
    """Return a function that takes a figure out of the shipped report of the school study."""

    def take() -> str:
        page = (ROOT / "docs" / "reports" / "school.html").read_text(encoding="utf-8")
        found = re.search(rf'aria-label="{re.escape(label)}">.*?(<svg.*?</svg>)', page, re.DOTALL)
        if found is None:
            raise ValueError(f"the report has no figure {label!r}")
        return found[1]

    return take


def _pair() -> tuple[np.ndarray, np.ndarray]:
    """Return two minutes of motion energy of one pair."""
    rows = dl.read_recording(SURVIVAL / "recordings" / "dyad_0017.csv.gz", fs=25).channels[3000:6000]
    return rows["participant1"].to_numpy(), rows["participant2"].to_numpy()


def _dyad() -> str:
    settings = {"window": 10, "step": 2, "lag": 3}
    found = dl.synchrony(*_pair(), 25, **settings)
    tested = dl.synchrony_test(*_pair(), 25, draws=99, **settings)
    return measures.synchrony_figure(*_pair(), 25, found, tested, ("participant1", "participant2"))


@cache
def _measured() -> Measured:
    return dl.measure(SURVIVAL)


def _multiverse() -> str:
    grid = {"window": [5, 10], "lag": [1, 3], "transform": ["none", "rank"]}
    return measures.multiverse_figure(dl.synchrony_multiverse(*_pair(), 25, grid=grid, draws=19))


def _plate() -> str:
    levels = [0.0, 10, 30, 100, 300, 1000]
    standards = pd.DataFrame({"kind": "standard", "concentration": levels, "signal": [2.0, 1.8, 1.45, 0.9, 0.45, 0.2]})
    samples = pd.DataFrame({"kind": "sample", "sample": ["s1", "s1", "s2", "s2"], "signal": [1.2, 1.25, 0.7, 0.66]})
    wells = pd.concat([standards, samples]).assign(plate="P1").fillna({"sample": ""})
    return measures.standard_curve_figure(dl.read_plates(wells))


@cache
def _assured() -> Assurance:
    return dl.assurance("proposed", ["fixed"], 4, over={"dyads": [20, 60]})


def _fan() -> str:
    doses = dl.protocol(8, events=[{"event": "dose", "sessions": [3, 4], "amount": 24, "minutes": -30}])
    return explore.fan(
        dl.simulate(dl.framework(), doses, dyads=20, seed=1, points=(4, 4)), ("oxytocin_patient", "trust", "depression")
    )


GALLERY = {
    "diagram": Entry("Theory", "The hub: variables and arrows of a theory", "dyadloop theory export hub --to svg --out f.svg",
                     lambda: explore.theory_diagram(dl.read_theory("hub"))),
    "courses": Entry("Theory", "Courses of simulated dyads: median, 50 and 89 % bands; dots: moments too far apart for a line",
                     "dyadloop simulate --theory framework --dyads 20 --event dose:3:24 --event dose:4:24 courses", _fan, simulated=True),
    "portrait": Entry("Theory", "Flow, nullclines and equilibria of two states", "dyadloop dynamics portrait hub oxytocin trust --figure f.svg",
                      lambda: explore.phase_portrait(dl.read_theory("hub"), "oxytocin", "trust"), simulated=True),
    "branch": Entry("Theory", "Equilibria along a parameter", "dyadloop dynamics continuation hub --figure f.svg bias_oxytocin -- -6 2",
                    lambda: explore.branches(dl.continuation(dl.read_theory("hub"), "bias_oxytocin", -6, 2), "oxytocin"),
                    simulated=True),
    "gains": Entry("Theory", "Gain matrix: what a lasting unit of one state does to another", "dyadloop dynamics gains hub --figure f.svg",
                   lambda: explore.gain_map(dl.gains(dl.read_theory("hub"))), simulated=True),
    "synergy": Entry("Theory", "Excess over four nulls, by dose and baseline", "dyadloop dynamics synergy hub --baseline bias_oxytocin=-4,-3,-2 --figure f.svg",
                     lambda: explore.synergy_map(dl.synergy(
                         dl.read_theory("hub"), baseline=("bias_oxytocin", [-4.0, -3.0, -2.0]))), simulated=True),
    "open_loop": Entry("Theory", "Open loop: what oxytocin held at a value would bring about",
                       "dyadloop dynamics characteristic hub --figure f.svg",
                       lambda: explore.open_loop(dl.characteristic(dl.read_theory("hub"))), simulated=True),
    "sobol": Entry("Theory", "Shares of the variance of the loop gain over the priors", "dyadloop dynamics sensitivity framework_linear --parameter a_trust --parameter w_trust --parameter a_support "
                   "--parameter w_support --samples 1024 --figure f.svg",
                   lambda: explore.sobol_bars(dl.sensitivity(
                       dl.read_theory("framework_linear"), parameters=["a_trust", "w_trust", "a_support", "w_support"],
                       samples=1024)), simulated=True),
    "forest": Entry("Evidence", "Forest plot of an arrow", "dyadloop evidence pool oxytocin stress --figure f.svg",
                    lambda: evidence.edge_forest(edge_evidence("oxytocin", "stress"))),
    "map": Entry("Evidence", "All arrows: verified rows, their directions, the pooled d", "dyadloop evidence map map.svg",
                 lambda: evidence.evidence_map(dl.published_effects())),
    "dyad": Entry("Measures", "Synchrony of one pair, tested by shifts (real)", "dyadloop synchrony A B --surrogate shift --figure f.svg",
                  _dyad),
    "group": Entry("Measures", "Real pairs against re-paired persons (real)", "dyadloop measure examples/survival --out FOLDER",
                   lambda: measures.group_figure(_measured().results["motion_synchrony"]["between dyads"])),
    "status": Entry("Measures", "Which sessions gave a score (real)", "dyadloop measure examples/survival --out FOLDER",
                    lambda: measures.status_figure(_measured().status)),
    "multiverse": Entry("Measures", "A pair under every setting of a grid (real)", "dyadloop synchrony A B --multiverse --figure f.svg",
                        _multiverse),
    "plate": Entry("Measures", "Standard curve of a plate with its samples", "dyadloop measure STUDY --out FOLDER", _plate, simulated=True),
    "claims": Entry("Report of a fit", "Claims with prior and region of practical equivalence (real)", "dyadloop run examples/school",
                    of_report("Estimates of the tested claims with prior and region of practical equivalence")),
    "missing": Entry("Report of a fit", "What is missing, from the first sessions to the last (real)", "dyadloop run examples/school",
                     of_report("Share of sessions without a value, by indicator")),
    "loop": Entry("Report of a fit", "The loop as fitted (real)", "dyadloop run examples/school",
                  of_report("Fitted couplings between the variables")),
    "couplings": Entry("Report of a fit", "Prior against posterior (real)", "dyadloop run examples/school",
                       of_report("Prior and posterior intervals of the couplings")),
    "predictive": Entry("Report of a fit", "Observed statistics among replicated ones (real)", "dyadloop checks results/school",
                        of_report("Observed statistics and their replicated ranges")),
    "smoothed": Entry("Report of a fit", "True states of a few persons given all data (real)", "dyadloop smooth results/school --figure f.svg",
                      of_report("Courses of a few dyads with uncertainty bands")),
    "ranks": Entry("Report of a fit", "Simulation-based calibration: ranks of the truths of 500 simulated studies",
                   "dyadloop calibrate framework --hypothesis reciprocal --variables oxytocin,trust --figure f.svg",
                   lambda: (ROOT / "docs" / "calibration-reciprocal.svg").read_text(encoding="utf-8"), simulated=True),
    "calendar": Entry("Design", "What is measured in which session", "dyadloop design report proposed --out f.html",
                      lambda: design_figures.calendar(dl.read_design("proposed"))),
    "contraction": Entry("Design", "What a plan is expected to take away of each prior",
                         "dyadloop design identifiability proposed --figure f.svg",
                         lambda: design_figures.contraction(dl.identifiability("proposed", remedies=False).claims), simulated=True),
    "verdicts": Entry("Design", "Verdicts of simulated studies (four each: far too few)", "dyadloop design assurance proposed --truth fixed --over dyads=20,60 --replicates 4",
                      lambda: design_figures.mosaic(_assured().claims), simulated=True),
    "curves": Entry("Design", "Support over the number of dyads (four studies each: far too few)",
                    "dyadloop design assurance proposed --truth fixed --over dyads=20,60 --replicates 4",
                    lambda: design_figures.curves(_assured().claims, "dyads"), simulated=True),
    "budget": Entry("Design", "Dyads or samples: what a budget buys", "dyadloop design schedule proposed --claim C1.trust --budget 80000 --figure f.svg",
                    lambda: design_figures.budget(dl.schedule("proposed", "C1.trust", 80_000).table), simulated=True),
}  # fmt: skip

HEAD = """# Gallery

Every kind of figure that the program draws, made by `python docs/gallery.py` (part of `make docs`). *Real* marks real data: pairs of students in a
desert-survival task (MIT), and the report of the school study (CC BY 4.0). The evidence is what was published. All others are simulated or follow from
assumed numbers and are marked SIMULATED, but for the diagram of a theory and the calendar of a plan, which hold no numbers. Capital words in a command
stand for files and folders of yours.
"""


def page() -> str:
    """Return the page."""
    parts, group = [HEAD], ""
    for name, entry in GALLERY.items():
        if entry.group != group:
            group = entry.group
            parts.append(f"## {group}\n")
        parts.append(f"### {entry.shows}\n`{entry.call}`\n\n![{entry.shows}](gallery/{name}.svg)\n")
    return "\n".join(parts)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or GALLERY:
        (FOLDER / f"{name}.svg").write_text(GALLERY[name].drawing(), encoding="utf-8")
    (ROOT / "docs" / "gallery.md").write_text(page(), encoding="utf-8")
