"""The proof: what the running services answer is what the registered models predict.

Each released model's held-out rows, kept in its bundle with the registered model's own answers
(computed by MLflow at registration), are sent to the running service over HTTP. The answers must
equal the bundle's own scores to the bit, and the registered model's within the tolerances of
`mlops.serving.proof`.
"""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from mlops.config import Settings, Workspace
from mlops.errors import ReleaseError
from mlops.records.release import Release

SERVICE = "predict"
"""The service that answers for the models."""

BATCH_ROWS = 500
_SECONDS = 30.0


def verify(places: Workspace, settings: Settings, release: Release, address: str | None = None) -> dict[str, Any]:
    """Prove that the running service answers with the released models and nothing else.

    Args:
        address: Of the service; where the local runtime has it when absent.

    Returns:
        Facts: `rows`, `seconds`, `rows_per_second`, and for each model `version`, `rows`, the largest `difference`
        from the registered model (relative; for a classifier absolute, in a probability), and `example`, one row.

    Raises:
        ReleaseError: the service does not run, another version or another answer came, or a model has no rows.
        IntegrityError: a bundle is not the one that was released.
        MissingInputError: a bundle is not there.
    """
    from mlops.serving import Bundle, FolderStore

    if not release.models:
        return {"rows": 0, "seconds": 0.0, "rows_per_second": 0.0, "models": {}}
    target = address or _address(places)
    store = FolderStore(Path(settings.model_registry.registry_path))
    facts: dict[str, Any] = {}
    rows, seconds = 0, 0.0
    for name, model in sorted(release.models.items()):
        bundle = Bundle.open(store.fetch(name, model.version), model.sha256)
        found, spent = _prove(bundle, name, model.version, target)
        facts[name] = found
        rows, seconds = rows + found["rows"], seconds + spent
    return {"rows": rows, "seconds": round(seconds, 4), "rows_per_second": round(rows / seconds, 1) if seconds else 0.0,
            "models": facts}


def _prove(bundle: Any, name: str, version: str, address: str) -> tuple[dict[str, Any], float]:
    from mlops.serving import Scores, disagreements

    proof = bundle.proof
    where = f"{address}/predict, model {name} version {version}"
    if not proof.rows:
        raise ReleaseError("the bundle holds no held-out rows to prove anything with", where=where,
                           mend="register the model again")
    predictions: list[Any] = []
    probabilities: list[Any] = []
    confidence: list[Any] = []
    seconds = 0.0
    for begin in range(0, len(proof.rows), BATCH_ROWS):
        batch = proof.rows[begin:begin + BATCH_ROWS]
        answer, spent = _ask(address, {"model": name, "rows": batch}, where)
        seconds += spent
        if answer.get("model") != name or answer.get("version") != version:
            raise ReleaseError(f"model {answer.get('model')!r} version {answer.get('version')!r} answered", where=where,
                               mend="the service does not serve what was released; `mlops status` shows what it serves")
        for kept, part in ((predictions, "predictions"), (probabilities, "probabilities"), (confidence, "confidence")):
            kept.extend(answer.get(part) or [])
    scores = Scores(predictions, probabilities or None, confidence or None)
    _expect_own(scores, bundle.score(proof.rows), where)
    if found := disagreements(proof, scores):
        raise ReleaseError(f"the service does not answer as the registered model does: {found[0]} "
                           f"({len(found)} differences in {len(proof.rows)} rows)", where=where,
                           mend="the model's export is wrong on this machine; the release before goes on")
    return {"version": version, "rows": len(proof.rows), "difference": _difference(proof, scores),
            "engine": bundle.manifest.engine, "example": proof.rows[0]}, seconds


def _expect_own(scores: Any, own: Any, where: str) -> None:
    """The service's answers are the bundle's own, to the bit: JSON carries a double exactly."""
    for part in ("predictions", "probabilities", "confidence"):
        answered, expected = getattr(scores, part), getattr(own, part)
        if answered == expected:
            continue
        row = next((index for index, (one, other) in enumerate(zip(answered or [], expected or [], strict=False))
                    if one != other), min(len(answered or []), len(expected or [])))
        raise ReleaseError(
            f"row {row}: the service's {part} are not those of its own bundle ({len(answered or [])} answers, "
            f"{len(expected or [])} expected)", where=where, mend="the service scores otherwise than the library does; "
            "its image and the library's versions must be the same",
        )


def _difference(proof: Any, scores: Any) -> float:
    """The largest difference from the registered model's own answers."""
    if proof.probabilities is not None:
        pairs = zip(proof.probabilities, scores.probabilities, strict=True)
        return float(max(abs(p - q) for wanted, given in pairs for p, q in zip(wanted, given, strict=True)))
    pairs = zip(proof.predictions, scores.predictions, strict=True)
    return float(max(abs(answer - wanted) / abs(wanted) if wanted else abs(answer) for wanted, answer in pairs))


def _ask(address: str, body: dict[str, Any], where: str) -> tuple[dict[str, Any], float]:
    """The service's answer and the seconds that it took, on a connection of its own."""
    split = urlsplit(address)
    connection = http.client.HTTPConnection(split.hostname or "", split.port, timeout=_SECONDS)
    content = json.dumps(body, allow_nan=False).encode()
    begun = time.perf_counter()
    try:
        connection.request("POST", "/predict", content, {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ReleaseError(f"the service does not answer: {error}", where=where,
                           mend="`mlops status` shows what runs") from error
    finally:
        connection.close()
    spent = time.perf_counter() - begun
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if response.status != 200 or not isinstance(answer, dict):
        raise ReleaseError(f"the service answers {response.status}: {text[:300].decode(errors='replace')}", where=where,
                           mend="the service's log says more")
    return answer, spent


def _address(places: Workspace) -> str:
    from mlops.deployment_manager import local

    for service in local.status(places):
        if service.name == SERVICE and service.pid is not None:
            return service.address
    raise ReleaseError(f"the service {SERVICE} does not run", where=SERVICE, mend="`mlops run` starts what is released")
