"""Folders of BIDS and Psych-DS: what stands where no reader looks, names that stand twice, odd descriptions."""

from dyadloop.exchange import import_study, plan_import
from dyadloop.exchange.formats.registry import read_source


def _bids(root):
    """A folder of BIDS with one subject."""
    for name, text in {
        "dataset_description.json": '{"Name": "x", "BIDSVersion": "1.10.0"}',
        "participants.tsv": "participant_id\tage\nsub-1\t30\n",
        "sub-1/ses-1/beh/sub-1_ses-1_task-x_beh.tsv": "start\tlength_min\twai\n2024-03-01\t50\t4\n",
        "sub-1/ses-2/beh/sub-1_ses-2_task-x_beh.tsv": "start\tlength_min\twai\n2024-03-08\t50\t5\n",
        "sub-1/ses-3/beh/sub-1_ses-3_task-x_beh.tsv": "start\tlength_min\twai\n2024-03-15\t50\t6\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_tables_that_stand_elsewhere_in_a_bids_folder_are_reported(tmp_path):
    root = _bids(tmp_path / "bids")
    table = root / "sub-1" / "ses-2" / "beh" / "sub-1_ses-2_task-x_beh.tsv"
    table.rename(table.parent.parent / table.name)
    (root / "sub-1" / "sub-1_link.tsv").symlink_to(tmp_path)
    grids = read_source(root)[1]
    assert [(r.text, r.cells) for r in grids[0].remarks] == [("sub-1/ses-2/sub-1_ses-2_task-x_beh.tsv", 3)]
    made = import_study(root, tmp_path / "out", answers={"phase": "after"})
    assert sum(count["by_kind"].get("form", 0) for count in made.counts) == 3


def test_participants_without_their_heading_are_asked_about(tmp_path):
    """A damaged heading is asked about, not stumbled over."""
    root = _bids(tmp_path / "bids")
    (root / "participants.tsv").write_text("name of it\tage\nsub-1\t30\nsub-2\t31\n")
    plan = plan_import([root], tmp_path / "out", answers={"phase": "after"})
    assert [table.dyad for table in plan.mapping.tables] == ["?", "participant_id"]
    made = import_study(root, tmp_path / "out", answers={"phase": "after"})
    assert made.counts[0]["by_kind"] == {"not mapped": 4}


def test_tables_of_one_name_have_sheets_of_their_own(tmp_path):
    root = _bids(tmp_path / "bids")
    (root / "phenotype").mkdir()
    (root / "phenotype" / "participants.tsv").write_text("participant_id\tbdi\nsub-1\t9\n")
    assert [grid.sheet for grid in read_source(root)[1]] == ["participants", "beh", "phenotype/participants"]
    psych = tmp_path / "psych"
    for part, value in (("a", 1), ("b", 2)):
        (psych / "data" / part).mkdir(parents=True)
        (psych / "data" / part / "study-x_data.csv").write_text(f"id,session,wai\nP1,1,{value}\n")
    (psych / "data" / "more.csv").write_text("id,wai\nP1,3\n")
    (psych / "dataset_description.json").write_text('{"variableMeasured": 5}')
    grids = read_source(psych, "psychds")[1]
    assert [grid.sheet for grid in grids] == ["a/study-x_data", "b/study-x_data"]
    assert [(r.text, r.cells) for r in grids[0].remarks] == [("data/more.csv", 2)]


def test_ends_of_a_scale_that_are_no_numbers_are_no_scale(tmp_path):
    root = _bids(tmp_path / "bids")
    for low in ("1e999", "1" + "0" * 400, '"x"', "null", "9"):
        (root / "task-x_beh.json").write_text(f'{{"wai": {{"Minimum": {low}, "Maximum": 7}}}}')
        assert all(grid.scales == {} for grid in read_source(root)[1])
    (root / "task-x_beh.json").write_text('{"wai": {"Minimum": 1, "Maximum": 7}}')
    assert [grid.scales for grid in read_source(root)[1]] == [{}, {"wai": (1.0, 7.0)}]
