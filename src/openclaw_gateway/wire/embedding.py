"""What is asked for when texts are to become vectors, in nobody's dialect."""

from msgspec import Struct

Input = str | tuple[int, ...]
"""A text, or the numbers of its tokens as the model's own tokenizer counts them."""


class EmbeddingRequest(Struct, frozen=True):
    """`inputs` are all of one kind, at least one, none empty. `dimensions` None leaves the length of the
    vectors to the model."""

    inputs: tuple[Input, ...]
    dimensions: int | None = None

    @property
    def has_tokens(self) -> bool:
        return not isinstance(self.inputs[0], str)
