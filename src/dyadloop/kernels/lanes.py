"""Vectors of eight numbers for compiled kernels: eight dyads, or eight intervals, go through the same arithmetic.

A lane of a vector is one dyad. The processor's own vectors are used, as wide as it has them. Arrays of vectors are
arrays of doubles with eight numbers per entry.
"""

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic, models, register_model

WIDTH = 8
_DOUBLE = ir.DoubleType()
_LANES = ir.VectorType(_DOUBLE, WIDTH)
_INDEX, _LONG, _BYTE = ir.IntType(32), ir.IntType(64), ir.IntType(8)
_ALIGN = {_LANES: 8, _DOUBLE: 8, _LONG: 8, _BYTE: 1}


inner = njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
"""Compile a function that only kernels call, so without the parts that let Python call it."""


class Lanes(types.Type):
    """Type of a vector."""

    def __init__(self) -> None:
        super().__init__(name="Lanes8")


lanes = Lanes()


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, dmm, fe_type) -> None:
        super().__init__(dmm, fe_type, _LANES)


def _binary(name: str):
    """Return an operation on two vectors."""

    @intrinsic
    def operation(_context, left, right):
        def build(_context, builder, _signature, args):
            return getattr(builder, name)(*args)

        return lanes(lanes, lanes), build

    return operation


plus, minus, times, over = (_binary(name) for name in ("fadd", "fsub", "fmul", "fdiv"))


def _fused(builder: ir.IRBuilder, *args: ir.Value) -> ir.Value:
    kind = ir.FunctionType(_LANES, [_LANES] * 3)
    function = cgutils.get_or_insert_function(
        builder.module, kind, f"llvm.fmuladd.v{WIDTH}f64"
    )  # fused where it is fast
    return builder.call(function, args)


@intrinsic
def fused(_context, left, right, rest):
    """Return left * right + rest."""

    def build(_context, builder, _signature, args):
        return _fused(builder, *args)

    return lanes(lanes, lanes, lanes), build


@intrinsic
def less(_context, left, right, rest):
    """Return rest - left * right."""

    def build(_context, builder, _signature, args):
        return _fused(builder, builder.fneg(args[0]), args[1], args[2])

    return lanes(lanes, lanes, lanes), build


@intrinsic
def all_lanes(_context, number):
    """Return a vector with the same number in each lane."""

    def build(_context, builder, _signature, args):
        one = builder.insert_element(ir.Constant(_LANES, ir.Undefined), args[0], _INDEX(0))
        same = ir.Constant(ir.VectorType(_INDEX, WIDTH), [0] * WIDTH)
        return builder.shuffle_vector(one, ir.Constant(_LANES, ir.Undefined), same)

    return lanes(types.float64), build


def _read(kind: types.Type, shape: ir.Type):
    """Return a function that reads an entry of an array of ``kind`` at an address."""

    @intrinsic
    def read(_context, address, entry):
        def build(_context, builder, _signature, args):
            first = builder.inttoptr(args[0], shape.as_pointer())
            return builder.load(builder.gep(first, [args[1]]), align=_ALIGN[shape])

        return kind(types.intp, types.intp), build

    return read


def _write(kind: types.Type, shape: ir.Type):
    """Return a function that writes an entry of an array of ``kind`` at an address."""

    @intrinsic
    def write(_context, address, entry, value):
        def build(context, builder, _signature, args):
            first = builder.inttoptr(args[0], shape.as_pointer())
            builder.store(args[2], builder.gep(first, [args[1]]), align=_ALIGN[shape])
            return context.get_dummy_value()

        return types.void(types.intp, types.intp, kind), build

    return write


load, number, whole, byte = (
    _read(kind, shape)
    for kind, shape in ((lanes, _LANES), (types.float64, _DOUBLE), (types.int64, _LONG), (types.uint8, _BYTE))
)
store, put, put_whole = (
    _write(kind, shape) for kind, shape in ((lanes, _LANES), (types.float64, _DOUBLE), (types.int64, _LONG))
)


@inner
def room_of(entries):
    """Return memory for a number of vectors; it is given back when the array is no longer used."""
    return np.zeros(entries * WIDTH + WIDTH)


@inner
def aligned(room):
    """Return the first address of some memory at which a cache line begins, which vectors read fastest from."""
    return (room.ctypes.data + 63) // 64 * 64


@inner
def after(address, entries):
    """Return the address behind a number of vectors."""
    return address + entries * (8 * WIDTH)


@inner
def clear(address, entries):
    """Put 0 into an array of vectors."""
    for entry in range(entries):
        store(address, entry, all_lanes(0.0))


@inner
def copy(out, values, entries):
    """Copy an array of vectors."""
    for entry in range(entries):
        store(out, entry, load(values, entry))


@inner
def product(out, left, down, across, right, below, beside, rows, inner, columns, kept):
    """Put left @ right into ``out``, or add it where ``kept`` is not 0.

    Row i and column k of the left matrix lie at i * ``down`` + k * ``across``, row k and column j of the right one at
    k * ``below`` + j * ``beside``, so that either may be read as its transpose; ``out`` lies row by row.
    """
    for i in range(rows):
        for j in range(0, columns - 3, 4):
            at = i * columns + j
            a = b = c = d = all_lanes(0.0)
            if kept:
                a, b, c, d = load(out, at), load(out, at + 1), load(out, at + 2), load(out, at + 3)
            for k in range(inner):
                factor, here = load(left, i * down + k * across), k * below + j * beside
                a = fused(factor, load(right, here), a)
                b = fused(factor, load(right, here + beside), b)
                c = fused(factor, load(right, here + 2 * beside), c)
                d = fused(factor, load(right, here + 3 * beside), d)
            store(out, at, a)
            store(out, at + 1, b)
            store(out, at + 2, c)
            store(out, at + 3, d)
        for j in range(columns - columns % 4, columns):
            a = load(out, i * columns + j) if kept else all_lanes(0.0)
            for k in range(inner):
                a = fused(load(left, i * down + k * across), load(right, k * below + j * beside), a)
            store(out, i * columns + j, a)


@inner
def collect(out, source, places, entries):
    """Put into each lane the entries of ``source`` that begin at its place."""
    for entry in range(entries):
        for lane in range(WIDTH):
            put(out, entry * WIDTH + lane, number(source, whole(places, lane) + entry))


@inner
def spread(target, places, values, entries, n_lanes):
    """Write the entries of each lane to ``target``, from its place on."""
    for lane in range(n_lanes):
        for entry in range(entries):
            put(target, whole(places, lane) + entry, number(values, entry * WIDTH + lane))


@inner
def gather_up(target, places, values, entries, n_lanes):
    """Add the entries of each lane to ``target``, from its place on."""
    for lane in range(n_lanes):
        for entry in range(entries):
            place = whole(places, lane) + entry
            put(target, place, number(target, place) + number(values, entry * WIDTH + lane))
