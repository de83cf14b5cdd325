"""Exports of plate readers: every well at its place, saturated ones too, and joined with a layout."""

import numpy as np
import openpyxl
import pytest

from dyadloop.errors import DataError
from dyadloop.exchange.plates import read_readings, wells_of
from dyadloop.measures.assays import read_plates
from tests.cli.program import dyadloop

ROWS = "ABCDEFGH"
VALUES = {f"{row}{k}": f"{0.1 * (ROWS.index(row) + 1) + k / 1000:.3f}" for row in ROWS for k in range(1, 13)}
NUMBERS = [str(k) for k in range(1, 13)]


def _row(letter, values=VALUES):
    return [values[f"{letter}{k}"] for k in range(1, 13)]


def _softmax(values=VALUES, other=None):
    plate = (
        "Plate:\tP7\t1.3\tPlateFormat\tEndpoint\tAbsorbance\tRaw\tFALSE\t1\t\t\t\t\t\t"
        + ("2\t450 570" if other else "1\t450")
        + " \t1\t12\t96\t1\t8\t\n"
    )
    header = "\tTemperature(\xa1C)\t" + "\t".join(NUMBERS) + ("\t\t" + "\t".join(NUMBERS) if other else "") + "\t\n"
    rows = "".join(
        ("\t25.0\t" if letter == "A" else "\t\t")
        + "\t".join(_row(letter, values))
        + ("\t\t" + "\t".join(_row(letter, other)) if other else "")
        + "\t\n"
        for letter in ROWS
    )
    return f"##BLOCKS= 1\n{plate}{header}{rows}\n~End\nOriginal Filename: x; Date Last Saved: 1/9/2023 2:23:07 PM\n"


def _gen5():
    lines = ["Software Version\t3.05.11", "", "Plate Number\tPlate 1", "Results", "", "\t\t" + "\t".join(NUMBERS)]
    for letter in ROWS:
        lines.append(f"\t{letter}\t" + "\t".join(_row(letter)) + "\tBlank 450")
        lines.append("\t\t" + "\t".join(["0.050"] * 12) + "\tBlank 570")
    return "\n".join(lines) + "\n"


def _magellan():
    lines = ["Date: 2024-03-01;;", "<>;" + ";".join(NUMBERS)]
    return "\n".join([*lines, *(f"{letter};" + ";".join(_row(letter)).replace(".", ",") for letter in ROWS)]) + "\n"


def _plain():
    return "\n".join(",".join(_row(letter)) for letter in ROWS) + "\n"


def _by_well():
    return "Plate:\tP7\n\tTemperature\t" + "\t".join(VALUES) + "\n\t25\t" + "\t".join(VALUES.values()) + "\n"


@pytest.mark.parametrize(
    ("text", "encoding", "plate"),
    [
        (_softmax(), "utf-16", "P7"),
        (_softmax(), "latin-1", "P7"),
        (_plain(), "utf-8", "a"),
        (_by_well(), "utf-8", "P7"),
    ],
)
def test_every_well_stands_at_its_place(tmp_path, text, encoding, plate):
    (tmp_path / "a.txt").write_text(text, encoding=encoding)
    (reading,) = read_readings(tmp_path / "a.txt")
    assert (reading.plate, reading.label) == (plate, "")
    assert reading.wells == VALUES


def test_a_german_magellan_keeps_its_commas(tmp_path):
    (tmp_path / "a.csv").write_text(_magellan())
    (reading,) = read_readings(tmp_path / "a.csv")
    assert reading.wells["H12"] == VALUES["H12"].replace(".", ",")
    (tmp_path / "layout.csv").write_text("well,kind\nH12,blank\n")
    table, _ = wells_of([tmp_path / "a.csv"], tmp_path / "layout.csv")
    assert table["signal"].tolist() == [VALUES["H12"]]


def test_two_wavelengths_are_two_readings(tmp_path):
    other = dict.fromkeys(VALUES, "0.05")
    (tmp_path / "a.txt").write_text(_softmax(other=other), encoding="utf-16")
    first, second = read_readings(tmp_path / "a.txt")
    assert (first.label, second.label) == ("450", "570")
    assert (first.wells, second.wells) == (VALUES, other)
    (tmp_path / "b.txt").write_text(_gen5())
    first, second = read_readings(tmp_path / "b.txt")
    assert (first.plate, first.label, second.label) == ("Plate 1", "Blank 450", "Blank 570")
    assert first.wells == VALUES
    assert set(second.wells.values()) == {"0.050"}


def test_a_workbook_is_read(tmp_path):
    book = openpyxl.Workbook()
    for row in [["Plate:", "P9"], ["", *range(1, 13)], *[[letter, *map(float, _row(letter))] for letter in ROWS]]:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    (reading,) = read_readings(tmp_path / "a.xlsx")
    assert reading.plate == "P9"
    assert {well: float(value) for well, value in reading.wells.items()} == {w: float(v) for w, v in VALUES.items()}


def _curve(x):
    return 0.05 + (2.0 - 0.05) / (1 + (x / 50.0) ** 1.2)


STANDARDS = [2.0, 6.0, 18.0, 54.0, 162.0, 486.0, 1458.0]


def _assay(tmp_path, name, seed):
    """Standards twice in columns 1 and 2, samples in column 3: a saturated one, one at two dilutions, one not in the layout."""
    rng = np.random.default_rng(seed)
    values = dict.fromkeys(VALUES, "")
    for k, x in enumerate(STANDARDS):
        for column in (1, 2):
            values[f"{ROWS[k]}{column}"] = f"{_curve(x) * (1 + rng.normal() / 100):.4f}"
    values |= {"A3": "OVRFLW", "B3": f"{_curve(40):.4f}", "C3": f"{_curve(4):.4f}", "D3": "0.777"}
    (tmp_path / name).write_text(_softmax(values).replace("P7", name[0]), encoding="utf-16")
    return tmp_path / name


LAYOUT = (
    "well,kind,sample,concentration,dilution,participant_id,session\n"
    + "".join(f"{ROWS[k]}{column},standard,,{x},,,\n" for k, x in enumerate(STANDARDS) for column in (1, 2))
    + "A3,sample,s1,,,P1,1\nB3,sample,s2,,1,P1,2\nC03,sample,s2,,10,P1,2\nE3,empty,,,,,\n"
)


def test_wells_of_a_layout_are_read_and_saturated_ones_are_limits(tmp_path):
    (tmp_path / "layout.csv").write_text(LAYOUT)
    plates = [_assay(tmp_path, "p.txt", 1), _assay(tmp_path, "q.txt", 2)]
    table, told = wells_of(plates, tmp_path / "layout.csv")
    assert len(table) == 2 * (2 * len(STANDARDS) + 3)
    assert told[:2] == [f"plate {p!r}: 1 wells with a signal are not in the layout: D3" for p in "pq"]
    assert told[2:] == [
        "3 wells of the layout name a person and no plate: each is taken as a re-run of the same sample on all 2 plates"
    ]
    found = read_plates(table.replace("", "n/a"))
    samples = found.samples.set_index(["plate", "sample"])
    saturated, diluted = samples.loc[("p", "s1")], samples.loc[("p", "s2")]
    assert saturated["limit"] == "below"  # a competitive assay: more signal, less hormone
    assert diluted["value"] == pytest.approx(40, rel=0.1)
    assert found.wells["status"].value_counts()["saturated"] == 2


def test_the_command_writes_the_table_of_an_assay(tmp_path):
    (tmp_path / "layout.csv").write_text(LAYOUT)
    run = dyadloop("wells", _assay(tmp_path, "p.txt", 1), tmp_path / "wells.tsv", "--layout", tmp_path / "layout.csv")
    assert run.returncode == 0
    assert "D3" in run.stderr
    lines = (tmp_path / "wells.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["plate", "well", "kind"]
    assert lines[15].endswith("OVRFLW")


def test_what_does_not_fit_is_said_all_at_once(tmp_path):
    path = _assay(tmp_path, "p.txt", 1)
    (tmp_path / "layout.csv").write_text("well,kind\nA1,standard\nA01,sample\nZ9,sample\nB2,unknown\n")
    with pytest.raises(DataError) as caught:
        wells_of([path], tmp_path / "layout.csv")
    assert {(fault.column, fault.row) for fault in caught.value.faults} == {("kind", 5), ("well", 3)}
    (tmp_path / "b.txt").write_text(_gen5())
    with pytest.raises(DataError, match="--reading"):
        wells_of([tmp_path / "b.txt"], tmp_path / "layout.csv")
    (tmp_path / "c.txt").write_text("nothing\n")
    with pytest.raises(DataError, match="matrix"):
        read_readings(tmp_path / "c.txt")


def _matrix(values=VALUES, mark="\t"):
    return mark.join(["", *NUMBERS]) + "\n" + "".join(mark.join([row, *_row(row, values)]) + "\n" for row in ROWS)


@pytest.mark.parametrize(
    "text",
    [
        _matrix() + "Average\t9.9\nSD\t0.1\n",
        _matrix() + "\nEnd Time:\t10:00\n",
        ",".join(["", *NUMBERS]) + "\n" + "".join(",".join([r, *(f'"{v}"' for v in _row(r))]) + "\n" for r in ROWS),
        "\n".join(",".join([r, *_row(r)]) for r in ROWS) + "\n",
        "\n".join(";".join(_row(r)) for r in ROWS).replace(".", ",") + "\n",
        ",".join(["", *NUMBERS])
        + "\n"
        + "".join(",".join([r, *(f'"{v.replace(".", ",")}"' for v in _row(r))]) + "\n" for r in ROWS),
        "<>\t"
        + "\t".join(NUMBERS)
        + "\n"
        + "".join(
            f"{r}\t" + "\t".join(f"SM{k}_1" for k in range(12)) + "\n\t" + "\t".join(_row(r)) + "\n" for r in ROWS
        ),
        "Well\tSample\tOD\n" + "".join(f"{well}\tS1;1\t{value}\n" for well, value in VALUES.items()),
        "Well Row,Well Col,Content,Raw Data (450)\n"
        + "".join(f"{w[0]},{w[1:]},Sample X1,{v}\n" for w, v in VALUES.items()),
    ],
    ids=["averages", "end-time", "quoted", "letters", "commas", "quoted-commas", "ids-above", "list", "row-and-column"],
)
def test_what_stands_around_wells_changes_none_of_them(tmp_path, text):
    (tmp_path / "a.csv").write_text(text)
    (reading,) = read_readings(tmp_path / "a.csv")
    assert {well: cell.replace(",", ".") for well, cell in reading.wells.items()} == VALUES


def test_two_lines_of_a_row_are_two_readings_and_titles_name_them(tmp_path):
    lines = "".join(f"{r}\t" + "\t".join(_row(r)) + "\n\t" + "\t".join(["0.05"] * 12) + "\n" for r in ROWS)
    (tmp_path / "a.txt").write_text("\t" + "\t".join(NUMBERS) + "\n" + lines)
    assert [(r.label, r.wells["B2"]) for r in read_readings(tmp_path / "a.txt")] == [
        ("", VALUES["B2"]),
        ("line 2", "0.05"),
    ]
    (tmp_path / "b.txt").write_text(f"450\n{_matrix()}\n570\n{_matrix(dict.fromkeys(VALUES, '0.05'))}")
    assert [(r.label, r.wells["B2"]) for r in read_readings(tmp_path / "b.txt")] == [
        ("450", VALUES["B2"]),
        ("570", "0.05"),
    ]


def test_a_list_keeps_plates_apart_and_refuses_a_course(tmp_path):
    (tmp_path / "a.csv").write_text("Plate,Well,OD\n1,A1,0.1\n1,A2,0.2\n2,A1,0.3\n2,A2,OVRFLW\n")
    assert [(r.plate, r.wells) for r in read_readings(tmp_path / "a.csv")] == [
        ("1", {"A1": "0.1", "A2": "0.2"}), ("2", {"A1": "0.3", "A2": "OVRFLW"}),
    ]  # fmt: skip
    (tmp_path / "b.csv").write_text("Well,Time,OD\nA1,0,0.1\nA2,0,0.2\nA1,60,0.3\n")
    with pytest.raises(DataError, match="second time"):
        read_readings(tmp_path / "b.csv")


def test_a_bare_matrix_in_a_workbook_keeps_equal_and_empty_wells(tmp_path):
    book = openpyxl.Workbook()
    for letter in ROWS:
        book.active.append(
            [None if k == 3 else 0.05 for k in range(12)] if letter == "A" else list(map(float, _row(letter)))
        )
    book.create_sheet("second").append(["no plate"])
    book.save(tmp_path / "a.xlsx")
    (reading,) = read_readings(tmp_path / "a.xlsx")
    assert [reading.wells[f"A{k}"] for k in range(1, 6)] == ["0.05", "0.05", "0.05", "", "0.05"]


def test_a_layout_from_a_german_spreadsheet_is_read(tmp_path):
    (tmp_path / "a.txt").write_text(_matrix())
    (tmp_path / "layout.csv").write_text("well;kind;concentration;dilution\nA1;Standard;2,5;\nA2;sample;;1,5\n")
    table, _ = wells_of([tmp_path / "a.txt"], tmp_path / "layout.csv")
    assert table[["kind", "concentration", "dilution"]].to_numpy().tolist() == [
        ["standard", "2.5", ""],
        ["sample", "", "1.5"],
    ]
