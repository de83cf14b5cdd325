"""Files that are whole or absent, digests, temporary folders."""

import hashlib

import pytest

from dyadloop.files import folder_or_temporary, replacing, replacing_folder, sha256, sha256_of, write_text


def test_a_file_appears_whole_in_a_folder_that_is_made(tmp_path):
    path = tmp_path / "new" / "text.txt"
    write_text(path, "straße\n")
    assert path.read_bytes() == "straße\n".encode()
    assert [file.name for file in path.parent.iterdir()] == ["text.txt"]


def test_what_fails_half_way_leaves_the_old_file(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("old")

    def spoilt():
        with replacing(path) as draft:
            draft.write_text("ne")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        spoilt()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["text.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    path = tmp_path / "new" / "study"
    for _ in range(2):  # the second time in place of an empty folder
        with replacing_folder(path) as draft:
            (draft / "part.txt").write_text("1")
            assert not path.exists() or not list(path.iterdir())
        assert [file.name for file in path.iterdir()] == ["part.txt"]
        (path / "part.txt").unlink()
    (path / "kept.txt").write_text("old")

    def over_a_full_folder():
        with replacing_folder(path) as draft:
            (draft / "part.txt").write_text("2")

    with pytest.raises(OSError, match="not empty"):
        over_a_full_folder()
    assert [file.name for file in path.iterdir()] == ["kept.txt"]
    assert [file.name for file in path.parent.iterdir()] == ["study"]


def test_a_new_file_has_the_usual_rights(tmp_path):
    plain, whole = tmp_path / "plain", tmp_path / "whole"
    plain.write_text("")
    write_text(whole, "")
    assert whole.stat().st_mode == plain.stat().st_mode


def test_digests_of_texts_bytes_and_files_are_one(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert sha256("abc") == sha256(b"abc") == sha256_of(tmp_path / "abc") == known
    assert sha256("ß") == hashlib.sha256("ß".encode()).hexdigest()


def test_a_folder_stays_and_a_temporary_one_goes(tmp_path):
    with folder_or_temporary(tmp_path) as named, folder_or_temporary(None) as scratch:
        assert named == tmp_path
        assert scratch.is_dir()
    assert tmp_path.is_dir()
    assert not scratch.exists()
