#!/usr/bin/env python3
"""Writes series.json: what statsmodels 0.15.0 says of a series, for tests/models/series_test.cpp."""

import json
import warnings
from pathlib import Path

import numpy as np
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.holtwinters import ExponentialSmoothing

warnings.simplefilter("ignore")
PERIOD, STEPS = 6, 8
# 50 + 0.8 t + 6 sin(2 π t / 6) + noise
SERIES = [
    50.518, 57.229, 57.292, 50.445, 49.362, 49.473, 53.995, 61.668, 62.143, 57.641, 52.846, 54.424, 58.495, 65.352, 65.673,
    62.898, 57.663, 57.965, 63.227, 70.01, 71.208, 66.387, 64.345, 64.714, 65.133, 72.363, 75.734, 70.967, 67.524, 68.33,
    77.177, 78.328, 80.23, 79.464, 72.974, 73.798, 78.029, 82.324, 85.847, 81.364, 74.963, 76.579, 83.492, 88.179, 90.249,
    86.143, 81.657, 81.644, 89.291, 95.733, 95.677, 89.573, 87.501, 86.452, 94.519, 97.588, 101.368, 95.57, 89.331, 91.533,
]  # fmt: skip
TOLD = {"smoothing_level": 0.3, "smoothing_trend": 0.1, "smoothing_seasonal": 0.2, "damping_trend": 0.9}


def smoothed(trend, damped, seasonal):
    """With the smoothings TOLD, and how small the squares are of those that statsmodels chooses."""
    model = ExponentialSmoothing(SERIES, trend=trend, damped_trend=damped, seasonal=seasonal,
                                 seasonal_periods=PERIOD if seasonal else None, initialization_method="heuristic")  # fmt: skip
    used = {"smoothing_level"} | ({"smoothing_trend"} if trend else set()) | ({"smoothing_seasonal"} if seasonal else set())
    used |= {"damping_trend"} if damped else set()
    found = model.fit(optimized=False, **{name: value for name, value in TOLD.items() if name in used})
    forecast = found.forecast(STEPS)
    if seasonal:  # of the last step of a period it takes the season a period older than its own fit's last
        newest, taken = found.season[-1], found.season[-1 - PERIOD]
        forecast[PERIOD - 1] = forecast[PERIOD - 1] + newest - taken if seasonal == "add" else forecast[PERIOD - 1] * newest / taken
    return {"trend": "damped" if damped else "additive" if trend else "none",
            "seasonality": {None: "none", "add": "additive", "mul": "multiplicative"}[seasonal],
            "forecast": forecast.tolist(), "squares": found.sse, "least_squares": model.fit().sse}  # fmt: skip


def regressed(lags, trend):
    found = AutoReg(SERIES, lags, trend="ct" if trend else "c").fit()
    free = found.nobs / (found.nobs - len(found.params))  # its deviation of the errors has the count of rows below
    ahead = found.get_prediction(len(SERIES), len(SERIES) + STEPS - 1)
    return {"lags": lags, "trend": trend, "coefficients": found.params.tolist(), "sigma": np.sqrt(found.sigma2 * free),
            "forecast": found.forecast(STEPS).tolist(), "deviations": (ahead.se_mean * np.sqrt(free)).tolist()}  # fmt: skip


kinds = [(None, False, None), ("add", False, None), ("add", True, None), ("add", False, "add"), ("add", False, "mul"), ("add", True, "mul")]
out = {"series": SERIES, "period": PERIOD, "told": TOLD, "holt_winters": [smoothed(*kind) for kind in kinds],
       "auto_regression": [regressed([1, 2], False), regressed([1, 2, 6], True)]}  # fmt: skip
(Path(__file__).parent / "series.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
