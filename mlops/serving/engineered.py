"""An engine whose model takes features: they are made of a row's columns before each score."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from mlops.errors import IntegrityError
from mlops.records.features import FeatureChain
from mlops.serving.engines import Engine, open_engine
from mlops.serving.features import apply_chain, column
from mlops.serving.inputs import Row
from mlops.serving.manifest import BundleManifest, Input, InputType, Scores


class EngineeredEngine:
    """See `engines.Engine`; the rows have the chain's columns, the model within has what it takes.

    Raises:
        IntegrityError: manifest and chain do not agree, or the model cannot be loaded.
    """

    float32: list[str] = []

    def __init__(self, chain: FeatureChain, manifest: BundleManifest, model: bytes) -> None:
        self.order = [each.name for each in chain.columns]
        if {each.name: each.type for each in chain.columns} != {each.name: each.type for each in manifest.inputs}:
            raise IntegrityError(
                f"its features are made of {', '.join(self.order)}, and the manifest names other columns",
                where=f"{manifest.model} version {manifest.version}",
                mend="register the model again; its bundle is written anew",
            )
        self._chain = chain
        self._made = chain.made
        self._model: Engine = open_engine(replace(manifest, inputs=inputs_of(chain)), model)

    def score(self, rows: list[Row]) -> Scores:
        """See `Engine.score`. A column that the model takes as it is, it takes as the row has it."""
        values = {name: [row[place] for row in rows] for place, name in enumerate(self.order)}
        columns = {each.name: column(each.type, values[each.name]) for each in self._chain.columns}
        for name, array in apply_chain(self._chain, columns).items():
            if name in self._made:
                values[name] = array.tolist()
        return self._model.score(list(zip(*(values[name] for name in self._model.order), strict=True)))


def inputs_of(chain: FeatureChain) -> list[Input]:
    """The columns of the model within."""
    return [
        Input(name=each.name, type=msgspec.convert(each.type, InputType), nullable=each.nullable)
        for each in chain.takes
    ]
