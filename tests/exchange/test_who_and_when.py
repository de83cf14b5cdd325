"""Values stay with their person and session, however programs write ids, numbers of sessions and headings."""

import pytest

from dyadloop.exchange import import_study
from dyadloop.exchange.exports.tables import text_tables
from dyadloop.exchange.guess import _bare


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("1-11", "11-1", False),
        ("1.1", "11", False),
        ("2_3", "23", False),
        ("1.1", "1.10", False),
        ("1.0", "10", False),
        ("1.0", "1", True),
        ("p 04", "P4", True),
        ("P-04", "P04", True),
        ("01-02", "1-2", True),
        ("A1-2", "a1_2", True),
        ("P0", "P00", True),
    ],
)
def test_ids_are_one_where_nothing_but_their_spelling_differs(one, other, same):
    assert (_bare(one) == _bare(other)) is same


def test_sites_and_numbers_do_not_become_one_person(tmp_path):
    lines = ["code,session,date,phq9"]
    lines += [f"{c},{s},2024-03-{7 * s:02d},{k + s}" for k, c in enumerate(("1-11", "11-1", "2-1")) for s in (1, 2, 3)]
    (tmp_path / "sites.csv").write_text("\n".join(lines))
    study = import_study(tmp_path / "sites.csv", tmp_path / "study", answers={"length_min": "50"}).study
    assert study.dyads == ["1-11", "11-1", "2-1"]
    assert len(study.measurements) == 9


def test_whole_numbers_with_a_point_join_those_without(tmp_path):
    first, second = ["id,session,date,wai"], ["id,session,phq9"]
    for person in (1, 2, 10, 20):
        first += [f"{person},{s},2024-03-{7 * s:02d},3.{s}" for s in (1, 2, 3)]
        second += [f"{person}.0,{s}.0,{person % 9 + s}" for s in (1, 2, 3)]
    (tmp_path / "a.csv").write_text("\n".join(first))
    (tmp_path / "b.csv").write_text("\n".join(second))
    found = import_study([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "study", answers={"length_min": "50"})
    table = text_tables(found.study)["measurements"]
    phq = table[table["indicator"] == "phq9"]
    told = {(d, s): float(v) for d, s, v in zip(phq["dyad"], phq["session"], phq["value"], strict=True)}
    assert told == {(str(p), str(s)): p % 9 + s for p in (1, 2, 10, 20) for s in (1, 2, 3)}
