"""Statistics of paired cross-validation and the verdicts drawn from them; standard library only."""

import math
import statistics
from dataclasses import asdict, dataclass, field

HOLDS, FAILS, UNDECIDED, NOT_RUN = "holds", "fails", "undecided", "not run"


def incomplete_beta(a, b, x):
    """The regularised incomplete beta function I_x(a, b), by Lentz's continued fraction (DLMF 8.17.22)."""
    if not (a > 0 and b > 0 and 0 <= x <= 1):
        raise ValueError(f"[incomplete_beta] expected a > 0, b > 0 and 0 <= x <= 1, got {a}, {b}, {x}")
    if x in (0, 1):
        return float(x)
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast only left of the mean
        return 1 - incomplete_beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny = 1e-300
    c, d, value = 1.0, 0.0, 1.0
    for i in range(1000):
        m = i // 2
        if i == 0:
            term = 1.0
        elif i % 2 == 0:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        else:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / (1 + term * d or tiny)
        c = 1 + term / c or tiny
        value *= c * d
        if abs(1 - c * d) < 1e-15:
            return front * (value - 1)
    raise ArithmeticError(f"[incomplete_beta] expected convergence within 1000 terms, got none at {a}, {b}, {x}")


def t_cdf(t, freedom):
    """P(T <= t) of Student's t with `freedom` degrees of freedom."""
    tail = incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t)) / 2
    return 1 - tail if t > 0 else tail


def t_quantile(p, freedom):
    """The value t with P(T <= t) = p for Student's t, by bisection."""
    if not (0 < p < 1 and freedom > 0):
        raise ValueError(f"[t_quantile] expected 0 < p < 1 and freedom > 0, got {p}, {freedom}")
    if p < 0.5:
        return -t_quantile(1 - p, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < p:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if t_cdf(middle, freedom) < p else (low, middle)
    return (low + high) / 2


@dataclass(frozen=True)
class Interval:
    """A mean with the two ends of its interval."""

    mean: float
    low: float
    high: float

    @property
    def half_width(self):
        return (self.high - self.low) / 2


def nadeau_bengio(differences, test_over_train, confidence=0.95):
    """Mean of paired differences over resampled splits with the corrected t interval.

    The variance of the mean is (1/J + test_over_train) times the sample variance of the J differences, since the training
    sets overlap (Nadeau and Bengio, Machine Learning 52, 2003).
    """
    count = len(differences)
    if count < 2:
        raise ValueError(f"[nadeau_bengio] expected at least 2 differences, got {count}")
    if not all(math.isfinite(d) for d in differences):
        raise ValueError("[nadeau_bengio] expected finite differences, got a NaN or an infinity")
    mean = statistics.fmean(differences)
    spread = math.sqrt((1 / count + test_over_train) * statistics.variance(differences))
    half = t_quantile((1 + confidence) / 2, count - 1) * spread
    return Interval(mean, mean - half, mean + half)


@dataclass(frozen=True)
class Margin:
    """How much worse than its peer a figure may be: in the mean, at the far end of its interval, and how wide that may be."""

    mean: float
    bound: float
    widest: float
    higher_is_better: bool

    def bar(self):
        if self.higher_is_better:
            return f"mean >= {-self.mean:g}, low > {-self.bound:g}"
        return f"mean <= {self.mean:g}, high < {self.bound:g}"

    def verdict(self, interval):
        if interval.half_width > self.widest:
            return UNDECIDED
        if self.higher_is_better:
            good = interval.mean >= -self.mean and interval.low > -self.bound
        else:
            good = interval.mean <= self.mean and interval.high < self.bound
        return HOLDS if good else FAILS


AUROC_MARGIN = Margin(mean=0.003, bound=0.010, widest=0.01, higher_is_better=True)
LOG_LOSS_MARGIN = Margin(mean=0.005, bound=0.015, widest=0.01, higher_is_better=False)


@dataclass(frozen=True)
class Floor:
    """The rule for tables too small for a narrow interval: the mean difference alone may not fall below -worst."""

    worst: float

    def bar(self):
        return f"mean >= {-self.worst:g}"

    def verdict(self, interval):
        return HOLDS if interval.mean >= -self.worst else FAILS


SMALL_TABLE_FLOOR = Floor(worst=0.015)


def quartiles(values):
    """First quartile, median and third quartile, interpolated within the sample."""
    if len(values) < 2:
        raise ValueError(f"[quartiles] expected at least 2 values, got {len(values)}")
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def ratio_verdict(ratios, limit=1.0):
    """The median of paired ratios against a limit; undecided when the limit lies strictly inside their quartiles."""
    low, middle, high = quartiles(ratios)
    if low < limit < high:
        return UNDECIDED
    return HOLDS if middle <= limit else FAILS


@dataclass
class Row:
    """One line of the report: a figure of ours beside a peer's, the bar, and whether it holds."""

    name: str
    unit: str = ""
    ours: float | None = None
    peer: float | None = None
    comparison: str = ""
    bar: str = ""
    verdict: str = NOT_RUN
    details: dict = field(default_factory=dict)

    def cells(self):
        number = lambda value: "-" if value is None else f"{value:.4g}" if self.unit in ("s/epoch", "us") else f"{value:.4f}"
        return [self.name, number(self.ours), number(self.peer), self.unit, self.comparison, self.bar, self.verdict]

    def as_json(self):
        return asdict(self)


HEADINGS = ["name", "ours", "peer", "unit", "difference or ratio", "bar", "verdict"]


def format_rows(rows):
    """The rows as a table of aligned columns, headings first."""
    lines = [HEADINGS] + [row.cells() for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)
