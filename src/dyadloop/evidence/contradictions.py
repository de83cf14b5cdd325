"""What in one published effect contradicts itself, or could not be pooled without an absurd weight.

A table that passes here can be pooled, listed and read claim by claim: whatever a conversion cannot use is named with
its column before.
"""

from typing import Any

from dyadloop.evidence.standard import LARGEST_D, POOLABLE, VARIANCES, converted, in_domain

_DOMAINS = {"r": "a number between -1 and 1", "OR": "a number above 0", "F": "a number above 0"}


def contradictions(row: dict[str, Any]) -> list[str]:
    """Return the contradictions of an effect, each as ``column: got; expected``, or with a remedy behind."""
    found = [*_interval(row), *_number(row)]
    return found or _weight(row)


def _interval(row: dict[str, Any]) -> list[str]:
    low, high, value, metric = row["ci_low"], row["ci_high"], row["estimate"], row["metric"]
    if (low is None) != (high is None):
        return [f"ci_low and ci_high: {'only the upper' if low is None else 'only the lower'} end; both ends, or none"]
    if low is None or high is None:
        return []
    if low >= high:
        return [f"ci_low, ci_high: [{low:g}, {high:g}]; an interval with its lower end first"]
    found = []
    for column, end in (("ci_low", low), ("ci_high", high)):
        if metric in POOLABLE and not in_domain(metric, end):
            rounded = "; was it rounded? give one more digit of the source" if end in (-1.0, 0.0, 1.0) else ""
            found.append(f"{column}: {end:g} as an end of the interval of {metric}; {_DOMAINS[metric]}{rounded}")
    if value is not None and not low <= value <= high:
        found.append(f"estimate: {value:g} outside its interval [{low:g}, {high:g}]; a number inside")
    return found


def _number(row: dict[str, Any]) -> list[str]:
    value, metric, found = row["estimate"], row["metric"], []
    if value is None:
        return []
    if metric is None:
        found.append("metric: none for a number; r, d, g, OR, F, beta, b or other")
    elif metric in _DOMAINS and not in_domain(metric, value):
        found.append(f"estimate: {metric} of {value:g}; {_DOMAINS[metric]}")
    elif metric in ("d", "g") and abs(value) > LARGEST_D:
        found.append(f"estimate: {metric} of {value:g}; a number of SDs, at most {LARGEST_D:g}")
    if metric in POOLABLE and row["edge_sign"] == 0:
        found.append(
            "edge_sign: the sign convention is missing; 1, or -1 where the number is turned; "
            "compare the number with the coding of levels"
        )
    return found


def _weight(row: dict[str, Any]) -> list[str]:
    """Return what would enter the pooling with a weight, or a size, that no study has."""
    one = converted(row)
    if one.columns and not abs(one.d) <= LARGEST_D:
        return [f"estimate: {row['metric']} of {row['estimate']:g}, a d of {one.d:.3g}; at most {LARGEST_D:g} SDs"]
    if one.columns and not VARIANCES[0] <= one.variance <= VARIANCES[1]:
        low, high = (bound**0.5 for bound in VARIANCES)
        return [f"{one.columns}: a standard error of {one.variance**0.5:.3g} as d; one from {low:g} to {high:g}"]
    return []
