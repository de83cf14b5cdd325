"""The filter's sweep in plain JAX, one observation at a time, to be differentiated automatically."""

import jax
import jax.numpy as jnp


def swept(readings, given):
    """Return the variances of the innovations and their Gram matrix, as :func:`dyadloop.likelihood.kalman.sweep`."""
    n_dyads, n_times, n_scores = given.score.shape
    slopes = jnp.broadcast_to(given.slopes, (n_dyads, n_times, *given.slopes.shape[2:]))
    push = jnp.broadcast_to(given.push, (n_dyads, n_times, given.push.shape[-1]))
    reading = jnp.concatenate([given.score[..., None], slopes], axis=-1)
    n, lead = given.matrix.shape[-1], reading.shape[-1]

    def of_dyad(dyad):
        owner = jnp.where(len(given.matrix) > 1, dyad, 0)
        whose = jnp.where(len(given.mean) > 1, dyad, 0)
        matrix, noise, shift = (part[owner] for part in (given.matrix, given.noise, given.shift))
        mean = jnp.zeros((n, lead)).at[:, 0].set(-given.mean[whose])

        def moment(belief, now):
            mean, cov = belief
            place = given.pair[dyad, now]
            mean = (matrix[place] @ mean).at[:, 0].add(-shift[place])
            cov = matrix[place] @ cov @ matrix[place].T + noise[place]
            rows, weights, variances, pair = [], [], [], 0
            for j in range(n_scores):
                reads = given.loading[j] * jnp.eye(n)[readings.states[j]]
                for state in readings.others[j]:
                    reads = reads + given.mix[dyad, now, pair] * jnp.eye(n)[state]
                    pair += 1
                row, gain = reads @ mean + reading[dyad, now, j], cov @ reads
                variance = reads @ gain + given.variance[dyad, now, j]
                weight = given.seen[dyad, now, j] / variance
                mean = mean - weight * jnp.outer(gain, row)
                cov = cov - weight * jnp.outer(gain, gain)
                rows.append(row)
                weights.append(weight)
                variances.append(jnp.where(given.seen[dyad, now, j], variance, 1.0))
            mean = mean.at[:, 0].add(-push[dyad, now])
            return (mean, cov), tuple(jnp.stack(part) for part in (rows, weights, variances))

        rows, weights, variances = jax.lax.scan(moment, (mean, given.cov[whose]), jnp.arange(n_times))[1]
        return variances, jnp.einsum("tji,tj,tjk->ik", rows, weights, rows)

    return jax.vmap(of_dyad)(jnp.arange(n_dyads))
