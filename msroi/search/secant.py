"""Where to look next between settings whose files are known, as log size or as a margin in its terms."""

from __future__ import annotations

# What log size grows by over an interval of settings, roughly and at least.
GROWTH, LEAST_GROWTH = 5.3, 0.5

# Searches end where settings differ by less than this share of the interval.
FINEST = 1e-5


def onward(sizes: dict[float, float], low: float, high: float, goal: float) -> float:
    """The secant's setting, or one beyond it where the latest sizes fell on one side of the goal.

    Where sizes bend, secants come near from one side for ever; where they hardly move, as where a JPEG source
    has been reached that cannot become better, they crawl.
    """
    following = secant(sizes, low, high, goal)
    tried = list(sizes)
    latest = tried[-1]
    is_over = sizes[latest] > goal
    opposite = [s for s in tried if (sizes[s] > goal) != is_over]
    n_alike = next((i for i, s in enumerate(reversed(tried)) if s in opposite), len(tried))
    if n_alike < 2:
        return following
    if opposite:
        limit = min(opposite, key=lambda s: abs(s - latest))
        twice = latest + 2 * (following - latest)
        is_short = n_alike == 2 and abs(twice - latest) < abs(limit - latest) / 2
        return twice if is_short else (latest + limit) / 2
    stride = abs(latest - tried[-2])
    if not is_over and abs(sizes[latest] - sizes[tried[-2]]) < LEAST_GROWTH * stride / (high - low):
        return high
    stride = 2 * max(stride, abs(following - latest))
    return max(latest - stride, low) if is_over else min(latest + stride, high)


def secant(sizes: dict[float, float], low: float, high: float, goal: float) -> float:
    """Where the goal should lie by the two known settings around it, or the two nearest on one side."""
    under = sorted(s for s in sizes if sizes[s] <= goal)
    over = sorted(s for s in sizes if sizes[s] > goal)
    below, above = under[-1:], [s for s in over if not under or s > under[-1]][:1]
    pair = below + above
    if len(pair) < 2:
        pair = under[-2:] if below else over[:2]
    growth = GROWTH / (high - low)
    if len(pair) == 2:
        growth = max((sizes[pair[1]] - sizes[pair[0]]) / (pair[1] - pair[0]), LEAST_GROWTH / (high - low))
    base = min(pair, key=lambda s: abs(sizes[s] - goal))
    guess = base + (goal - sizes[base]) / growth
    if below and above and not below[0] < guess < above[0]:
        guess = (below[0] + above[0]) / 2
    return min(max(guess, low), high)
