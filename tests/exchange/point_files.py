"""Tracked points in HDF5, as pandas and PyTables write the tables of DeepLabCut."""

import pickle

import h5py
import numpy as np


def columns(individuals=("",)):
    return [
        ("net", *([who] if who else []), point, coordinate)
        for who in individuals
        for point in ("head", "hand")
        for coordinate in ("x", "y", "likelihood")
    ]


def points(individuals=1, frames=8):
    """Head and hand go 5 pixels a frame (3 and 4), those of the second individual twice as far."""
    steps = np.arange(float(frames))
    parts = [[3 * way * steps, 4 * way * steps, np.full(frames, 0.9)] * 2 for way in range(1, individuals + 1)]
    return np.column_stack([column for part in parts for column in part])


def appended(path, names, values, kind=None):
    """A table as pandas keeps it with PyTables (`format="table"`); names stand in a pickle."""
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame_table")
        rows = np.zeros(len(values), np.dtype([("index", "<i8"), ("values_block_0", "<f8", (values.shape[1],))]))
        rows["index"], rows["values_block_0"] = np.arange(len(values)), values
        table = group.create_dataset("table", data=rows)
        table.attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(names, 0) if kind is None else kind)
    return path


def fixed(path, names, values):
    """The same, kept as blocks with the levels of the columns (`format="fixed"`)."""
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs.update({"pandas_type": np.bytes_(b"frame"), "nblocks": 1, "block0_items_nlevels": len(names[0])})
        for level, texts in enumerate(zip(*names, strict=True)):
            known = sorted(set(texts))
            group[f"block0_items_level{level}"] = np.array([text.encode() for text in known])
            group[f"block0_items_label{level}"] = np.array([known.index(text) for text in texts], dtype="i1")
        group["block0_values"], group["axis1"] = values, np.arange(len(values))
    return path
