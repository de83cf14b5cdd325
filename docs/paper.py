"""Renew docs/paper.md: each sentence of the abstract, and what stands for it in the theory file and the evidence table."""

from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import pandas as pd

import dyadloop as dl
from dyadloop.theory import Claim, Coupling, Theory

HEAD = """# The paper, sentence by sentence

The theory is that of M. Eckert and E. Schandro (2025), *How factors of the therapeutic alliance interact with oxytocin neurotransmission in
psychotherapy*, Frontiers in Psychiatry, [doi:10.3389/fpsyt.2025.1659841](https://doi.org/10.3389/fpsyt.2025.1659841),
[CC BY](https://creativecommons.org/licenses/by/4.0/). Quoted here are the six sentences of its abstract, unchanged. The theory files go by the abstract
alone: the body of the paper was not read for them. The abstract holds no equation and no number.

Tables are computed from `framework_linear`, the form that a fit uses, and from the evidence table (`python docs/paper.py`). The *number* is the value
that a simulation uses and an assumption of ours in every row; its prior is centred on 0. Evidence ids are rows of
`dyadloop evidence show ID`; they say what was published on the arrow, for it and against it, and none of them measured the number. *Direction* is the sign
between the levels of both variables: + where more of the one goes with more of the other, - where with less, 0 where nothing was found, mixed where it depends.
A number that counts relief as positive, such as a g of +.64 for less fear, has the direction -.
"""


@dataclass(frozen=True)
class Sentence:
    """A sentence of the abstract, and what stands for it: patterns of ids, and in words what is our own."""

    text: str
    variables: tuple[str, ...]
    arrows: tuple[str, ...]
    claims: tuple[str, ...]
    own: str


SENTENCES = (
    Sentence(
        "Oxytocin (OT) neurotransmission has emerged as a promising target for alleviating psychiatric symptoms associated with "
        "depression, stress, and fear.",
        ("oxytocin", "depression", "stress", "fear"),
        ("v_*",),
        ("C7.*.oxytocin",),
        "That the effect falls within sessions, while oxytocin is there. That symptoms are of the patient alone. That the sign may be "
        "reversed: published effects on fear are partly adverse, so priors are centred on 0. Oxytocin of the brain, of plasma and of "
        "saliva are different variables of `framework`; a fit knows one, whose unit is set by the sample.",
    ),
    Sentence(
        "This mini-review focuses on the therapeutic alliance, highlighting five core components: (1) attachment, (2) empathy, (3) "
        "social synchrony, (4) trust and cooperation, and (5) social support.",
        ("attachment", "empathy", "synchrony", "trust", "support"),
        (),
        (),
        "That each component is one variable of the dyad, in SD within persons. That attachment means felt security in the relation. "
        "Time constants, from days to months. The composite `alliance`, for studies that measure only a sum.",
    ),
    Sentence(
        "We explore how these factors both influence and are modulated by the oxytocinergic system.",
        ("oxytocin", "attachment", "empathy", "synchrony", "trust", "support"),
        ("a_*", "w_*"),
        ("C1.*", "C2.*"),
        "That both directions act while a session runs and not between sessions. That effects are linear within persons. "
        "That a component acts at once on oxytocin, which is gone minutes after the session.",
    ),
    Sentence(
        "Based on current empirical evidence, we propose a conceptual framework in which OT-mediated mechanisms dynamically and "
        "reciprocally strengthen the therapeutic alliance.",
        ("oxytocin", "attachment", "empathy", "synchrony", "trust", "support"),
        (),
        ("C3.*", "C4"),
        "Reciprocity as the product of both arrows of one component (C3): both must differ from 0. *Dynamically* as a system in "
        "continuous time. Spill-over (C4) follows from any stable positive network by itself, so it is no evidence for the rest. The rival "
        "M5 lets components act on each other without oxytocin (`d_*`), and M6 puts a common cause in its place.",
    ),
    Sentence(
        "We postulate that activation of the OT system by one or more of these components may synergistically enhance all alliance "
        "factors, creating a self-reinforcing cycle with potential therapeutic benefits.",
        ("oxytocin", "attachment", "empathy", "synchrony", "trust", "support", "depression", "stress", "fear"),
        ("gamma_*", "c_*"),
        ("C5.*", "C6", "C7.*.components", "C7.*.mediated"),
        "*Synergistically* as products of two components (M4), and always against additive nulls. *Self-reinforcing* in two senses: the "
        "loop gain from session to session is above 0 (weak: the cycle amplifies) or reaches 1 (strong: it sustains itself). "
        "*Potential benefits* as an effect of components on symptoms, and as the share of it that goes through oxytocin. The "
        'abstract says *may*: a claim is a hypothesis here, and "undecided" an ordinary answer. That symptoms weaken components (`f_*`) is ours.',
    ),
    Sentence(
        "Finally, we discuss the clinical implications of this model and identify key avenues for future research.",
        (),
        (),
        (),
        "Nothing of this program is clinical advice. What a next study would have to randomise or measure (`dl.what_next`, "
        "`dyadloop design`) follows from our claims and not from the paper.",
    ),
)


def page() -> str:
    """Return the page."""
    theory = dl.read_theory("framework_linear")
    known = dl.published_effects().set_index("id")
    parts = [HEAD]
    for number, sentence in enumerate(SENTENCES, start=1):
        parts.append(f"## Sentence {number}\n> {sentence.text}\n\n{_stands(sentence, theory)}\n")
        if arrows := matching(sentence.arrows, theory):
            parts.append(_arrows(arrows))
            parts.append(_evidence(arrows, known))
        parts.append(f"**Our own.** {sentence.own}\n")
    parts.append(_rest(theory))
    return "\n".join(parts)


def matching(patterns: tuple[str, ...], theory: Theory) -> list[Coupling]:
    """Return the couplings of a theory whose ids match."""
    return [c for c in theory.couplings if any(fnmatch(c.id, pattern) for pattern in patterns)]


def _stands(sentence: Sentence, theory: Theory) -> str:
    claims = [c for c in theory.claims if any(fnmatch(c.id, pattern) for pattern in sentence.claims)]
    variables = ", ".join(f"`{theory.variable(name).id}`" for name in sentence.variables) or "none"
    lines = [f"- Variables: {variables}"]
    lines += [f"- Claim {_each(c)}" for c in claims] or ["- Claims: none"]
    return "\n".join(lines)


def _each(claim: Claim) -> str:
    """Return id and statement of a claim, and of which variables it is made."""
    each = f"each {claim.for_each}" if claim.for_each else ""
    return f"`{claim.id.format(id='*', label=each)}`: {claim.statement.format(id='*', label=each)}"


def _arrows(arrows: list[Coupling]) -> str:
    lines = ["| arrow | from | to | acts | number | evidence | prior |", "|---|---|---|---|---|---|---|"]
    for c in arrows:
        amount, gate = c.coefficient, {"session": "in session"}.get(c.gate, c.gate)
        ids = ", ".join(amount.evidence or ()) or "none"
        cells = (
            f"`{c.id}`",
            " x ".join(c.sources),
            c.target,
            gate,
            f"{amount.value:g} {amount.unit}".removesuffix(" 1"),
            ids,
            amount.assumed,
        )
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def _evidence(arrows: list[Coupling], known: pd.DataFrame) -> str:
    ids = dict.fromkeys(i for c in arrows for i in c.coefficient.evidence or ())
    if not ids:
        return "No published result is named for these arrows.\n"
    lines = ["| evidence | direction | what was seen | publication |", "|---|---|---|---|"]
    for name in ids:
        row = known.loc[name]
        seen = str(row["seen"]).replace("|", "/")
        lines.append(f"| `{name}` | {row['direction']} | {seen} | {row['citation']} |")
    return "\n".join(lines) + "\n"


def _rest(theory: Theory) -> str:
    """Return the part of the theory for which no sentence stands."""
    taken = {c.id for sentence in SENTENCES for c in matching(sentence.arrows, theory)}
    rest = dict.fromkeys(
        f"{c.id.split('_')[0]}_*" if "_" in c.id else c.id for c in theory.couplings if c.id not in taken
    )
    why = {
        "f_*": "symptoms weaken components: published within persons, and not in the abstract",
        "d_*": "components act on each other without oxytocin: the rival M5",
        "k_*": "one slow common cause drives everything: the rival M6",
        "m_*": "attachment insecurity turns effects of oxytocin around: the rival M7",
        "weakest": "the weakest component decides: the rival M9",
    }
    lines = ["## What no sentence stands for", "| arrows | why they are there |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{name}` | {why[name]} |" for name in rest)]) + "\n"


if __name__ == "__main__":
    (Path(__file__).parent / "paper.md").write_text(page(), encoding="utf-8")
