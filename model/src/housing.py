"""House values of a block group from its census figures: gradient-boosted trees."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from model.src.frames import texts

PATIENCE = 20


def train(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> tuple[Any, Any, Any]:
    """Fit on the training rows; the validation rows say when further trees stop to help.

    Args:
        train_data, val_data: Frames with the features and the target (US dollars).
        test_data: The held-out rows; not looked at here, the judgement is made elsewhere.
        config: The model's file: features, target, parameters, seed.
        tracker: The run; gets the validation error after each tree.

    Returns:
        The fitted pipeline, parameters found on the way, metrics on the validation rows.
    """
    named = texts(train_data, config.features)
    numbers = [name for name in config.features if name not in named]
    prepare = ColumnTransformer([
        ("numbers", SimpleImputer(strategy="median", keep_empty_features=True), numbers),
        # A category that was never seen is no category: all zeros.
        ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), named),
    ])
    watched = len(val_data) > 0
    trees = HistGradientBoostingRegressor(
        random_state=config.seed, early_stopping=watched, n_iter_no_change=PATIENCE,
        scoring="neg_root_mean_squared_error", **config.parameters,
    )
    inputs = prepare.fit_transform(train_data[config.features])
    target = train_data[config.target].to_numpy()
    if watched:
        trees.fit(
            inputs, target, X_val=prepare.transform(val_data[config.features]),
            y_val=val_data[config.target].to_numpy(),
        )
        tracker.log_curve("validation_rmse", (-trees.validation_score_).tolist())
    else:
        trees.fit(inputs, target)
    model = Pipeline([("prepare", prepare), ("trees", trees)])
    metrics = {"train_rmse": _rmse(model, train_data, config)}
    if watched:
        metrics["val_rmse"] = _rmse(model, val_data, config)
    return model, {"trees": int(trees.n_iter_)}, metrics


def _rmse(model: Any, frame: Any, config: Any) -> float:
    errors = model.predict(frame[config.features]) - frame[config.target].to_numpy()
    return float(np.sqrt(np.mean(errors**2)))
