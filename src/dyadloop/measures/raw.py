"""From the raw files of a study folder to rows of measurements.tsv, each with its error, and a record of how.

One bad recording does not stop the others: its status says what was wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import xarray as xr

from dyadloop.data import read_study
from dyadloop.data.sources import (
    AccuracySource,
    AssaySource,
    GoodsSource,
    QuestionnaireSource,
    Source,
    SynchronySource,
    TrustSource,
)
from dyadloop.errors import DataError, DyadloopError, Fault, MeasureError
from dyadloop.measures.answers import measure_answers
from dyadloop.measures.games import empathic_accuracy, public_goods, trust_game
from dyadloop.measures.samples import measure_samples
from dyadloop.measures.synchrony import METHODS, group_test, synchrony, synchrony_test
from dyadloop.measures.work import Work, filled, is_of_role, keys_of, sessions_of, table_of
from dyadloop.signals import read_recording
from dyadloop.signals.channels import Channels, two_channels
from dyadloop.signals.rates import same_rate
from dyadloop.signals.series import SIGN

Progress = Callable[[str, int, int], None]
_MOST_TRACES = 40  # recordings that are kept for figures
ROW_COLUMNS = ("dyad", "participant_id", "session", "time", "phase", "indicator", "value", "limit", "error", "plate")


@dataclass
class Measured:
    """What the raw files of a study gave.

    Attributes
    ----------
    rows
        Rows for measurements.tsv.
    status
        Per indicator, dyad and session: ``ok``, ``doubtful`` with the reason, or why there is no score; one line
        without dyad and session for a source that cannot be used at all.
    record
        Per indicator: kind, settings, convention, source, reliability, doubts about its files (``notes``), and the
        SHA-256 of every file used.
    results
        Per indicator: results of single recordings by name, for figures; plates of an assay and what became of
        each well; the test between dyads.
    traces
        Per indicator: the series of the first recordings, for figures.
    failed
        Indicators whose source cannot be used, with the error that says why; they have no rows, and stop no others.
    """

    rows: pd.DataFrame
    status: pd.DataFrame
    record: dict[str, dict[str, Any]]
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    traces: dict[str, dict[str, Channels]] = field(default_factory=dict)
    failed: dict[str, DyadloopError] = field(default_factory=dict)

    def table(self) -> list[dict[str, str]]:
        """Return the rows as records of text."""
        return [
            {name: str(value) for name, value in zip(ROW_COLUMNS, row, strict=True)} for row in self.rows.to_numpy()
        ]


def measure(path: str | Path, progress: Progress | None = None) -> Measured:
    """Score the recordings, questionnaires, assays and games of a study folder, as study.yaml says under ``measures``.

    Parameters
    ----------
    path
        Study folder; measurements.tsv need not be there yet.
    progress
        Called with the indicator, parts done and their number.

    Returns
    -------
    Measured
        Rows, status, record and single results. Nothing is written; ``dyadloop measure`` writes.

    Raises
    ------
    DataError
        If the folder has faults, declares no measures, or the table of every source has impossible entries.
    MeasureError
        If no source can be used at all. Of several sources, one that cannot be used does not stop the others.

    Examples
    --------
    >>> measured = dl.measure("examples/survival")
    >>> measured.rows["value"].astype(float).describe()[["count", "mean"]].round(2).to_dict()
    {'count': 12.0, 'mean': 0.52}
    """
    study = read_study(path, measured=False)
    if not study.info.measures:
        remedy = "declare where the scores come from; see docs/measures.md"
        raise DataError(str(path), [Fault("study.yaml", None, "measures", "none", "at least one source", remedy)])
    rows, status, record, results, traces, failed = [], [], {}, {}, {}, {}
    for name, source in study.info.measures.items():

        def tick(done: int, total: int, name: str = name) -> None:
            if progress is not None:
                progress(name, done, total)

        work = Work(study, name, source, tick)
        try:
            _KINDS[type(source)](work)
            if hasattr(source, "file"):
                work.account()
        except (DataError, MeasureError) as error:
            failed[name] = error
            work = Work(study, name, source, tick)
            work.bad("", "", f"no score: {str(error).splitlines()[0]}")
        rows += work.rows
        status += work.status
        results[name], traces[name] = work.results, work.traces
        record[name] = {
            "kind": source.kind,
            "settings": source.model_dump(mode="json", exclude={"kind"}),
            **work.record,
            "files": work.files,
            "scores": len(work.rows),
        }
    if len(failed) == len(study.info.measures):
        raise _all_failed(str(path), failed)
    return Measured(
        pd.DataFrame(rows, columns=list(ROW_COLUMNS)),
        pd.DataFrame(status, columns=["indicator", "dyad", "session", "status"]),
        record,
        results,
        traces,
        failed,
    )


def _all_failed(path: str, failed: dict[str, DyadloopError]) -> DyadloopError:
    """Return the error of a study none of whose sources can be used: all faults of all of them."""
    if len(failed) == 1:
        return next(iter(failed.values()))
    faults = []
    for name, error in failed.items():
        expected, remedy = "a source that can be used", "correct the source or its file"
        one = Fault("study.yaml", None, f"measures.{name}", str(error), expected, remedy)
        faults += error.faults if isinstance(error, DataError) else [one]
    return DataError(path, list(dict.fromkeys(faults)))


def _synchrony(work: Work) -> None:
    source: SynchronySource = work.source
    pairs: dict[tuple[str, str], Channels] = {}
    found = sessions_of(work, source.files)
    for done, (dyad, session, file) in enumerate(found, start=1):
        try:
            pairs[dyad, session] = _channels(work, file, dyad, session)
        except MeasureError as error:
            missing = not (work.root / file).is_file()
            work.bad(dyad, session, "no recording" if missing else str(error))
        work.tick(done, 2 * len(found))
    scores = _between(work, pairs) if source.surrogate == "between" else {}
    for done, ((dyad, session), (first, second, fs)) in enumerate(pairs.items(), start=1):
        try:
            result = synchrony(first, second, fs, source.method, cut=True, **_options(source))
            work.results[f"{dyad} session {session}"] = result
            if result.attrs["common_pauses"] != "none":
                _note(work, dyad, session, [result.attrs["common_pauses"]])
            if len(work.traces) < _MOST_TRACES:
                work.traces[f"{dyad} session {session}"] = (first, second, fs)
            value, error = _chosen(source, result, (dyad, session), (first, second, fs), scores)
            work.add({"dyad": dyad, "session": session, "participant_id": work.participant(dyad)}, value, error)
        except MeasureError as error:
            work.bad(dyad, session, str(error))
        work.tick(len(found) + done, len(found) + len(pairs))
    if source.method in METHODS:
        work.record |= {"convention": METHODS[source.method].title, "sign": SIGN}
    if work.results:
        attrs = next(value for value in work.results.values() if isinstance(value, xr.Dataset)).attrs
        work.record |= {"statistic": attrs.get("statistic", ""), "source": attrs.get("source", "")}


def _options(source: SynchronySource) -> dict[str, Any]:
    """Return preparation and settings as keywords."""
    return {"spikes": source.spikes, "smooth": source.smooth, "transform": source.transform, **source.settings}


def _channels(work: Work, file: str, dyad: str, session: str) -> Channels:
    """Return the two series of a session on one clock, and its rate."""
    source: SynchronySource = work.source
    second = None if source.second_files is None else filled(source.second_files, dyad, session)
    paths = [work.path(name) for name in (file, second) if name is not None]
    found = two_channels(source, *paths)
    _note(work, dyad, session, found.notes)
    return found.first, found.second, found.fs


def _note(work: Work, dyad: str, session: str, notes: Sequence[str]) -> None:
    """Keep in the record how a session's files were aligned, and what of them was left out or is doubtful."""
    if notes:
        work.record.setdefault("notes", {}).setdefault(f"{dyad} session {session}", []).extend(notes)


def _between(work: Work, pairs: dict[tuple[str, str], Channels]) -> dict:
    """Return the effect of each recording against pseudo-dyads; ids of shared therapists are kept apart."""
    source: SynchronySource = work.source
    fs = _one_rate(work, pairs)
    people = work.study.participants
    ids = {}
    for dyad, session in pairs:
        mine = people[people["dyad"] == dyad]
        shared = (
            str(mine["therapist"].iloc[0]) if "therapist" in mine and mine["therapist"].iloc[0] else f"{dyad}:second"
        )
        ids[f"{dyad} session {session}"] = (f"{dyad}:first", shared)
    tested = group_test(
        {f"{dyad} session {session}": (a, b) for (dyad, session), (a, b, _) in pairs.items()},
        fs,
        source.method,
        people=ids,
        **_options(source),
    )
    work.results["between dyads"] = tested
    work.record |= {
        "null": str(tested.attrs["null"]),
        "group_effect": float(tested["effect"]),
        "group_p_value": float(tested["p_value"]),
        "leave_one_out": str(tested.attrs["leave_one_out"]),
    }
    values = tested["dyad_effect"].values
    return {key: float(value) for key, value in zip(pairs, values, strict=True)}


def _one_rate(work: Work, pairs: dict[tuple[str, str], Channels]) -> float:
    """Return the one rate of all recordings; rates that keep within half a sample of each other are one."""
    rates = [fs for *_, fs in pairs.values()]
    longest = max((len(first) for first, *_ in pairs.values()), default=0)
    shared = max(set(rates), key=rates.count) if rates else 1.0
    others = sorted({fs for fs in rates if not same_rate(fs, shared, longest)})
    if others:
        listed = ", ".join(f"{fs:g}" for fs in [shared, *others])
        raise MeasureError(
            f"{work.name}: got recordings of {listed} Hz; expected one rate, or they cannot be re-paired; resample them"
        )
    return shared


def _chosen(
    source: SynchronySource,
    result: xr.Dataset,
    key: tuple[str, str],
    series: Channels,
    between: dict,
) -> tuple[float, float]:
    """Return the value that enters the study, and its error."""
    if source.value != "effect":
        if source.value == "lead" and "lead" not in result:
            raise MeasureError(f"method {source.method!r} has no direction")
        return float(result[source.value]), float(result["error"]) if source.value == "score" else float("nan")
    if source.surrogate == "none":
        raise MeasureError("value: effect needs a surrogate")
    if source.surrogate == "between":
        return between[key], 1.0  # in SDs of its null
    tested = synchrony_test(
        *series,
        source.method,
        surrogate=source.surrogate,
        draws=source.draws,
        cut=True,
        **_options(source),
    )
    return float(tested["effect"]), 1.0


def _games(work: Work) -> None:
    source: TrustSource | GoodsSource = work.source
    trust = isinstance(source, TrustSource)
    actor = "participant" if not trust else "trustor" if source.scale == "sent_share" else "trustee"
    table = table_of(work, source.file, ("session", actor))
    keys = keys_of(work, table.assign(participant_id=table[actor]), source.file)
    games = ["|".join(str(key.get(c, "")) for c in ("session", "phase", "time")) for key in keys]
    players = ("trustor", "trustee") if trust else ("participant",)
    named = table.assign(
        **{c: [f"{who}|{game}" for who, game in zip(table[c], games, strict=True)] for c in players if c in table}
    )
    places = dict(zip(named[actor], keys, strict=True))  # one person's part in one game
    scale = source.scale if isinstance(source, TrustSource) else "contributed_share"
    scores = (trust_game if trust else public_goods)(named, source.file)
    mine = scores.table[scores.table["scale"] == scale]
    for label, value, error in zip(mine["participant"], mine["estimate"], mine["estimate_error"], strict=True):
        if is_of_role(work, places[label]["participant_id"]):
            work.add(places[label], float(value), float(error), doubt="; ".join(scores.doubts))
    for text in scores.doubts:
        work.note(source.file, text)
    work.record |= {
        "convention": f"{scale} per person and session, own rounds alone (not shrunk)",
        "group": scores.group.to_dict("records"),
    }


def _accuracy(work: Work) -> None:
    source: AccuracySource = work.source
    found = sessions_of(work, source.files)
    for done, (dyad, session, file) in enumerate(found, start=1):
        try:
            recording = read_recording(work.path(file), source.fs, columns=(source.target, source.perceiver))
            result = empathic_accuracy(
                recording.channel(source.target), recording.channel(source.perceiver), recording.fs,
                source.bin_seconds, source.lag,
            )  # fmt: skip
            work.results[f"{dyad} session {session}"] = result
            key = {"dyad": dyad, "session": session, "participant_id": work.participant(dyad)}
            work.add(key, float(result["score"]), float(result["error"]))
        except MeasureError as error:
            work.bad(dyad, session, "no recording" if not (work.root / file).is_file() else str(error))
        work.tick(done, len(found))
    work.record |= {"convention": "Fisher z of binned ratings of target and perceiver"}


_KINDS: dict[type[Source], Callable[[Work], None]] = {
    SynchronySource: _synchrony,
    QuestionnaireSource: measure_answers,
    AssaySource: measure_samples,
    TrustSource: _games,
    GoodsSource: _games,
    AccuracySource: _accuracy,
}
