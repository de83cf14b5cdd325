"""Textbook reference: the joint multivariate normal of all observations of one dyad, with SciPy alone.

Written from the model's definition: no filter, no doubling, no shared code with the package beyond the numbers of
the field (its matrices) and of the observation model.
"""

import numpy as np
from scipy.integrate import quad_vec
from scipy.linalg import expm
from scipy.stats import multivariate_normal


def transition(drift, noise, push, duration):
    """F, Q and shift of one interval, the integrals by adaptive quadrature."""
    n = len(drift)
    if duration == 0:
        return np.eye(n), np.zeros((n, n)), np.zeros(n)

    def integrand(s):
        e = expm(drift * s)
        return np.concatenate([(e @ noise @ e.T).ravel(), e @ push])

    # the fast state needs its own panel near 0
    cuts = [0.0, *[c for c in (duration * 1e-4, duration * 1e-3, duration * 1e-2, duration * 0.1) if c > 0], duration]
    total = sum(quad_vec(integrand, a, b, epsrel=1e-13, epsabs=1e-15)[0] for a, b in zip(cuts, cuts[1:], strict=False))
    return expm(drift * duration), total[: n * n].reshape(n, n), total[n * n :]


def joint_moments(field, steps, gates, jumps):
    """Mean and covariance of the stacked deviations at all moments of one dyad."""
    n = len(field.names)
    mean, cov = np.asarray(field.start), np.asarray(field.start_covariance)
    means, blocks, known = [], {}, {}
    for t, (step, gate, jump) in enumerate(zip(steps, gates, jumps, strict=True)):
        drift = np.asarray(field.always) + gate * np.asarray(field.session) - np.diag(np.asarray(field.decay))
        if (step, gate) not in known:
            known[step, gate] = transition(drift, np.asarray(field.noise), gate * np.asarray(field.drive), step)
        f, q, shift = known[step, gate]
        for s in range(t):
            blocks[t, s] = f @ blocks[t - 1, s] if s < t - 1 else f @ blocks[s, s]
        mean, cov = f @ mean + shift, f @ cov @ f.T + q
        blocks[t, t] = cov
        means.append(mean)
        mean = mean + jump
    size = len(means)
    full = np.zeros((size * n, size * n))
    for (t, s), block in blocks.items():
        full[t * n : (t + 1) * n, s * n : (s + 1) * n] = block
        full[s * n : (s + 1) * n, t * n : (t + 1) * n] = block.T
    return np.concatenate(means), full


def log_density(field, observation, steps, gates, jumps, scores, variance=0.0):
    """Log density of the scores (moment by indicator, NaN where missing) of one dyad, with their own known variances."""
    n, n_moments = len(field.names), len(steps)
    mean, cov = joint_moments(field, steps, gates, jumps)
    between = np.asarray(field.between)
    cov = cov + np.kron(np.ones((n_moments, n_moments)), between @ between.T)
    loading = np.zeros((scores.shape[1], n))
    loading[np.arange(scores.shape[1]), list(observation.states)] = np.asarray(observation.loading)
    design = np.kron(np.eye(n_moments), loading)
    y_mean = design @ mean + np.tile(np.asarray(observation.mean), n_moments)
    y_cov = design @ cov @ design.T + np.diag(np.tile(np.asarray(observation.error_sd) ** 2, n_moments))
    y_cov = y_cov + np.diag(np.broadcast_to(variance, scores.shape).ravel())
    if observation.error_factor is not None:
        sd, factor = np.asarray(observation.error_sd), np.asarray(observation.error_factor)
        common = np.outer(sd, sd) * (factor @ factor.T)
        y_cov = y_cov + np.kron(np.eye(n_moments), common - np.diag(np.diag(common)))
    seen = np.isfinite(scores).ravel()
    return multivariate_normal(y_mean[seen], y_cov[np.ix_(seen, seen)], allow_singular=False).logpdf(
        scores.ravel()[seen]
    )
