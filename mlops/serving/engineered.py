"""An engine whose model takes features: they are made of a row's columns before each score."""

from __future__ import annotations

from msgspec.structs import replace

from mlops.errors import IntegrityError
from mlops.records.features import FeaturePlan
from mlops.serving.engines import Engine, open_engine
from mlops.serving.features import apply, column
from mlops.serving.inputs import Row
from mlops.serving.manifest import BundleManifest, Input, Scores


class EngineeredEngine:
    """See `engines.Engine`; the rows have the plan's columns, the model within has its outputs.

    Raises:
        IntegrityError: manifest and plan do not agree, or the model cannot be loaded.
    """

    float32: list[str] = []

    def __init__(self, plan: FeaturePlan, manifest: BundleManifest, model: bytes) -> None:
        self.order = [each.name for each in plan.columns]
        if {each.name: each.type for each in plan.columns} != {each.name: each.type for each in manifest.inputs}:
            raise IntegrityError(
                f"its features are made of {', '.join(self.order)}, and the manifest names other columns",
                where=f"{manifest.model} version {manifest.version}",
                mend="register the model again; its bundle is written anew",
            )
        self._plan = plan
        self._model: Engine = open_engine(replace(manifest, inputs=outputs(plan)), model)

    def score(self, rows: list[Row]) -> Scores:
        """See `Engine.score`."""
        columns = {
            each.name: column(each.type, [row[place] for row in rows]) for place, each in enumerate(self._plan.columns)
        }
        made = apply(self._plan, columns)
        return self._model.score(list(zip(*(made[name].tolist() for name in self._model.order), strict=True)))


def outputs(plan: FeaturePlan) -> list[Input]:
    """The plan's outputs as the columns of the model within."""
    return [Input(name=each.name, type=each.type, nullable=True) for each in plan.outputs]
