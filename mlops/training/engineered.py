"""A model with the features that its file declares: fitted on the training rows, applied before it everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mlops import product
from mlops.features import fitting
from mlops.records import ColumnShape
from mlops.records.base import decode
from mlops.records.features import FeaturePlan
from mlops.serving.features import apply
from mlops.training.frames import NUMBERS

if TYPE_CHECKING:
    from mlops.training.config import ModelConfig


class Engineered:
    """A fitted model behind its features: takes frames of the plan's columns, answers as the model does.

    `predict_proba` and `classes_` are there where the model has them.

    Args:
        plan: As JSON, so that what MLflow keeps can be read by a later version of this program.
        model: The fitted model, which takes the plan's outputs.
    """

    def __init__(self, plan: bytes, model: Any) -> None:
        self._json = plan
        self.model = model
        self.feature_names_in_ = [each.name for each in self.plan.columns]

    @property
    def plan(self) -> FeaturePlan:
        """How its features are made."""
        return decode(FeaturePlan, self._json, where="the model's feature plan")

    def predict(self, frame: Any) -> Any:
        """The model's answers to rows of the plan's columns."""
        return self.model.predict(made(self.plan, frame))

    def _predict_proba(self, frame: Any) -> Any:
        return self.model.predict_proba(made(self.plan, frame))

    def __getattr__(self, name: str) -> Any:
        if name == "predict_proba" and hasattr(self.__dict__.get("model"), name):
            return self._predict_proba
        if name == "classes_" and hasattr(self.__dict__.get("model"), name):
            return self.model.classes_
        raise AttributeError(name)


def fitted(config: ModelConfig, train: Any, shapes: Sequence[ColumnShape]) -> FeaturePlan | None:
    """The plan that the model's file declares, fitted on a frame of training rows; None where it declares none.

    Raises:
        ConfigurationError: a feature does not fit the data set's columns.
        BadDataError: the training rows have nothing to learn from.
    """
    if not config.feature_engineering:
        return None
    wanted = [shape for shape in shapes if shape.name in config.features]
    where = f"{product.MODELS}/{config.name}.yaml, feature_engineering"
    return fitting.fit(config.feature_engineering, wanted, _columns(train, wanted), where=where)


def frames(plan: FeaturePlan, target: str, *parts: Any) -> list[Any]:
    """The parts with the plan's outputs in the place of its columns, and the target."""
    return [made(plan, part).assign(**{target: part[target].to_numpy()}) for part in parts]


def seen(plan: FeaturePlan, config: ModelConfig) -> ModelConfig:
    """The model's file as the trainer sees it: its features are the plan's outputs."""
    return replace(config, features=[output.name for output in plan.outputs])


def made(plan: FeaturePlan, frame: Any) -> Any:
    """The features of a pandas frame, as another frame: numbers as float64, texts as objects."""
    import pandas as pd

    arrays = apply(plan, _columns(frame, plan.columns))
    series = {
        name: pd.Series(values, dtype=object) if values.dtype == object else values for name, values in arrays.items()
    }
    return pd.DataFrame(series)


def _columns(frame: Any, shapes: Sequence[ColumnShape]) -> dict[str, Any]:
    """A pandas frame as the columns that features are made of; see `frames.load` for its types."""
    import pandas as pd

    found = {}
    for shape in shapes:
        values = frame[shape.name]
        if shape.type in NUMBERS:
            found[shape.name] = values.to_numpy(dtype="float64")
        elif shape.type == "datetime":
            moments = pd.to_datetime(values, utc=True)
            found[shape.name] = moments.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
        else:
            text = values.astype(object)
            found[shape.name] = text.where(text.notna(), None).to_numpy(dtype=object)
    return found
