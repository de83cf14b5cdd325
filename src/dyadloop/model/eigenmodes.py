"""Own modes of states that exchange with each other fast, such as plasma and tissue: solved exactly, step by step.

States that pass amounts to and fro form a block. Where its exchanges form a tree, a scaling makes the block symmetric,
so its modes are real and well conditioned whatever the rates.
"""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from dyadloop.model.system import Arrow, Gate, System


class Modes(eqx.Module):
    """Change of coordinates in which every state decays by itself.

    Attributes
    ----------
    blocks
        States of each block that is transformed; all others stay as they are.
    into, back
        Matrices from states to modes and back, per block, dyads last.
    decay
        Decay rates of the modes, in the places of the states [1/d].
    """

    blocks: tuple[tuple[int, ...], ...] = eqx.field(static=True)
    into: tuple[Array, ...]
    back: tuple[Array, ...]
    decay: tuple[Array, ...]

    def to_modes(self, state: Float[Array, "state ..."]) -> Float[Array, "state ..."]:
        """Return a state in the coordinates of the modes."""
        return self._changed(state, self.into)

    def to_states(self, modes: Float[Array, "state ..."]) -> Float[Array, "state ..."]:
        """Return modes as a state."""
        return self._changed(modes, self.back)

    def _changed(self, state: Array, matrices: tuple[Array, ...]) -> Array:
        rows = list(state)
        for block, matrix in zip(self.blocks, matrices, strict=True):
            for row, target in enumerate(block):
                rows[target] = sum(
                    (matrix[row, column] * state[source] for column, source in enumerate(block)),
                    jnp.zeros_like(state[0]),
                )
        return jnp.stack(rows)

    def push(
        self, system: System, modes: Float[Array, "state ..."], gate: Gate, pinned: Array | None = None
    ) -> Float[Array, "state ..."]:
        """Return everything but the decay of the modes: q' = push - decay q."""
        state = self.to_states(modes)
        push = system.push(state, gate, pinned=pinned)
        if not self.blocks:
            return push
        changed = list(push)
        inside = [index for block in self.blocks for index in block]
        rate = [push[i] - system.decay[i] * state[i] if i in inside else push[i] for i in range(system.n_states)]
        rates = self.to_modes(jnp.stack(rate))
        for index in inside:
            changed[index] = rates[index] + self.decay[index] * modes[index]
        return jnp.stack(changed)


def modes_of(system: System) -> Modes:
    """Return the modes of a system; without exchanges these are its states."""
    links = _links(system)
    blocks, into, back, decay = [], [], [], list(system.decay)
    for block in _blocks(system, links):
        matrix, scale = _symmetric(system, links, block)
        values, vectors = jnp.linalg.eigh(jnp.moveaxis(matrix, (0, 1), (-2, -1)))
        vectors = jnp.moveaxis(vectors, (-2, -1), (0, 1))
        back.append(scale[:, None] * vectors)
        into.append(jnp.swapaxes(vectors, 0, 1) / scale[None, :])
        for place, index in enumerate(block):
            decay[index] = -values[..., place]
        blocks.append(block)
    return Modes(tuple(blocks), tuple(into), tuple(back), tuple(decay))


def _links(system: System) -> dict[tuple[int, int], Array]:
    """Return the rates of plain arrows between two states that always act, by (target, source)."""
    found: dict[tuple[int, int], Array] = {}
    for arrow, rate in zip(system.arrows, system.rates, strict=True):
        if not _is_plain(system, arrow):
            continue
        for target in arrow.targets:
            for source in arrow.sources[0].nodes:
                key = (target, source)
                found[key] = found.get(key, jnp.zeros(())) + rate / len(arrow.sources[0].nodes)
    return found


def _is_plain(system: System, arrow: Arrow) -> bool:
    ends = [*arrow.targets, *arrow.sources[0].nodes]
    if any(i >= system.n_states for i in ends):
        return False
    free = all(
        not system.nodes[i].logistic
        and system.nodes[i].lower is None
        and system.nodes[i].clamped is None
        and not system.nodes[i].noisy
        for i in ends
    )
    return free and arrow.transfer and not arrow.gated


def _blocks(system: System, links: dict[tuple[int, int], Array]) -> list[tuple[int, ...]]:
    """Return groups of states that exchange both ways and whose exchanges form a tree."""
    mutual = {tuple(sorted(pair)) for pair in links if pair[::-1] in links}
    group = {index: {index} for index in range(system.n_states)}
    for first, second in mutual:
        merged = group[first] | group[second]
        for index in merged:
            group[index] = merged
    found = {tuple(sorted(members)) for members in group.values() if len(members) > 1}
    inside = {block: sum(1 for pair in mutual if set(pair) <= set(block)) for block in found}
    return sorted(block for block in found if inside[block] == len(block) - 1)


def _symmetric(system: System, links: dict[tuple[int, int], Array], block: tuple[int, ...]) -> tuple[Array, Array]:
    """Return the symmetric matrix of a block, S = D^-1 A D, and the diagonal of D."""
    scale = {block[0]: jnp.ones(())}
    while len(scale) < len(block):
        for target, source in links:
            if source in scale and target not in scale and target in block and (source, target) in links:
                scale[target] = scale[source] * jnp.sqrt(links[target, source] / links[source, target])
    shape = jnp.broadcast_shapes(*(jnp.shape(value) for value in (*links.values(), *(system.decay[i] for i in block))))
    size = len(block)
    matrix = jnp.zeros((size, size, *shape))
    for row, target in enumerate(block):
        matrix = matrix.at[row, row].set(-system.decay[target])
        for column, source in enumerate(block):
            if (target, source) in links and (source, target) in links:
                matrix = matrix.at[row, column].set(jnp.sqrt(links[target, source] * links[source, target]))
    return matrix, jnp.stack([jnp.broadcast_to(scale[index], shape) for index in block])
