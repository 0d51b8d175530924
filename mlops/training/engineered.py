"""A model with the features that its file and its data set's declare: applied before it everywhere, in this order:
those of the data version, learnt when it was made, then those of the model's file, learnt when it is trained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mlops import product
from mlops.features import fitting
from mlops.records import ColumnShape
from mlops.records.features import Feature, FeatureChain, FeaturePlan, Taken
from mlops.serving.features import apply, apply_chain, chain_of, taken
from mlops.training.frames import NUMBERS, Data

if TYPE_CHECKING:
    from mlops.training.config import ModelConfig


class Engineered:
    """A fitted model behind its features: takes frames of the chain's columns, answers as the model does.

    `predict_proba` and `classes_` are there where the model has them.

    Args:
        chain: As JSON, so that what MLflow keeps can be read by a later version of this program.
        model: The fitted model, which takes what the chain gives.
    """

    def __init__(self, chain: bytes, model: Any) -> None:
        self._json = chain
        self.model = model
        self.feature_names_in_ = [each.name for each in self.chain.columns]

    @property
    def chain(self) -> FeatureChain:
        """How its features are made."""
        return chain_of(self._json, where="the model's features")

    def predict(self, frame: Any) -> Any:
        """The model's answers to rows of the chain's columns."""
        return self.model.predict(given(self.chain, frame))

    def _predict_proba(self, frame: Any) -> Any:
        return self.model.predict_proba(given(self.chain, frame))

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


def chain(config: ModelConfig, data: Data, own: FeaturePlan | None) -> FeatureChain | None:
    """All features of a model; None where neither its data set nor its file declares any that it takes.

    Args:
        own: What the model's file declares, fitted.
    """
    columns = data.surface(config.features)
    first = _needed(data.plan, config.features)
    if first is None and own is None:
        return None
    plans = [each for each in (first, own) if each is not None]
    if own is not None:
        return FeatureChain(columns=columns, plans=plans, takes=taken(own))
    shapes = {each.name: each for each in data.version.columns}
    made = {output.name: output for output in first.outputs} if first else {}
    takes = [
        Taken(name=name, type=made[name].type) if name in made
        else Taken(name=name, type=shapes[name].type, nullable=shapes[name].nullable) for name in config.features
    ]
    return FeatureChain(columns=columns, plans=plans, takes=takes)


def _needed(plan: FeaturePlan | None, names: Sequence[str]) -> FeaturePlan | None:
    """The plan with the features alone that give some of these columns; None where there is none."""
    features: list[Feature] = [
        each for each in (plan.features if plan else []) if any(output.name in names for output in each.outputs)
    ]
    if plan is None or not features:
        return None
    sources = {name for each in features for name in each.sources}
    return replace(plan, features=features, columns=[each for each in plan.columns if each.name in sources])


def frames(plan: FeaturePlan, target: str, *parts: Any) -> list[Any]:
    """The parts with the plan's outputs in the place of its columns, and the target."""
    return [made(plan, part).assign(**{target: part[target].to_numpy()}) for part in parts]


def seen(plan: FeaturePlan, config: ModelConfig) -> ModelConfig:
    """The model's file as the trainer sees it: its features are the plan's outputs."""
    return replace(config, features=[output.name for output in plan.outputs])


def made(plan: FeaturePlan, frame: Any) -> Any:
    """The features of a pandas frame, as another frame: numbers as float64, texts as objects."""
    return _framed(apply(plan, _columns(frame, plan.columns)))


def given(chain: FeatureChain, frame: Any) -> Any:
    """What a model takes of a pandas frame of raw rows, as `made`; a column that it takes as it is, as it is."""
    features = chain.made
    found = _framed(apply_chain(chain, _columns(frame, chain.columns)))
    for each in chain.takes:
        if each.name not in features:
            found[each.name] = frame[each.name].array
    return found


def _framed(arrays: dict[str, Any]) -> Any:
    import pandas as pd

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
