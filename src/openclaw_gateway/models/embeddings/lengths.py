"""The length of a vector: as it was asked for, or a refusal. Pure.

Of models trained so that the first numbers of a vector are a vector themselves, a shorter one is its
beginning, made length 1 again. Of any other model that would be noise, so it is refused.
"""

import math

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.families.vectors import NESTED


def is_nested(model: str) -> bool:
    """Whether the beginning of a vector of this model is a vector."""
    return model.lower().rpartition("/")[2].startswith(NESTED)


def fitted(vector: list[float], dimensions: int | None, model: str) -> list[float]:
    """Of that length. Raises InvalidRequest where the model has no such vector."""
    if dimensions is None or len(vector) == dimensions:
        return vector
    if len(vector) < dimensions or not is_nested(model):
        raise InvalidRequest(
            f"`dimensions`: the vectors of {model} have {len(vector)} numbers, and no other length can be "
            "had. Leave it out.",
            param="dimensions",
        )
    return normalised(vector[:dimensions])


def normalised(vector: list[float]) -> list[float]:
    """Of length 1; one that is all zeros stays."""
    norm = math.hypot(*vector)
    return [number / norm for number in vector] if norm else vector
