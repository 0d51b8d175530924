"""Whether a breast mass is malignant or benign, from measurements of cell nuclei: logistic regression."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler


def train(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> tuple[Any, Any, Any]:
    """Fit on the training rows; see `model.src.housing.train` for arguments and result."""
    model = Pipeline([
        ("scale", ColumnTransformer([("numbers", StandardScaler(), config.features)])),
        ("regression", LogisticRegression(random_state=config.seed, **config.parameters)),
    ])
    model.fit(train_data[config.features], _labels(train_data, config))
    metrics = {"train_accuracy": _accuracy(model, train_data, config)}
    if len(val_data):
        metrics["val_accuracy"] = _accuracy(model, val_data, config)
    return model, {"iterations": int(model[-1].n_iter_.max())}, metrics


def _labels(frame: Any, config: Any) -> Any:
    return frame[config.target].to_numpy().astype(str)


def _accuracy(model: Any, frame: Any, config: Any) -> float:
    return float(np.mean(model.predict(frame[config.features]) == _labels(frame, config)))
