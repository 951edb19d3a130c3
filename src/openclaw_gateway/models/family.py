"""What can be known of a model: the shape of the facts in `families`. Pure, frozen values.

Must not know any model, nor how a dialect says what stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

LEVELS = ("minimal", "low", "medium", "high", "xhigh", "max")
"""From little to much thinking. Beside them "none": no thinking."""


@dataclass(frozen=True, slots=True)
class CallIds:
    """What the id of a call may look like: any text, letters and digits with "_" and "-" ("word"), or letters
    and digits alone; `most` 0 = as long as one likes."""

    form: Literal["any", "word", "alphanumeric"] = "any"
    least: int = 1
    most: int = 0

    def fits(self, text: str) -> bool:
        if len(text) < self.least or (self.most and len(text) > self.most):
            return False
        if self.form == "any":
            return True
        plain = text if self.form == "alphanumeric" else text.replace("_", "a").replace("-", "a")
        return plain.isascii() and plain.isalnum()


ANY_ID = CallIds()
NINE_ALPHANUMERICS = CallIds("alphanumeric", 9, 9)
AT_MOST_40 = CallIds("any", 1, 40)
AT_MOST_64 = CallIds("any", 1, 64)
WORD_OF_64 = CallIds("word", 1, 64)


@dataclass(frozen=True, slots=True)
class Thinking:
    """How a model is told how much to think.

    `way` is how its api says it: "effort" one word, "adaptive" as long as the model sees fit and one word,
    "budget" so many tokens, "level" one word of Google's, "never" not at all; the other ways are the shapes
    that vendors gave the OpenAI request. `levels` are those of LEVELS, and "none", that it takes; () = nobody
    has said, so all pass. `words` are its words for ours. `budget` are the fewest and the most tokens.
    `usual` is the level where nothing is said; "" = it does not think then, or nobody has said.
    """

    way: str = "effort"
    levels: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    budget: tuple[int, int] = (1024, 65536)
    usual: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """The facts of one model at one provider; the defaults are those of a model nobody knows.

    `known`: a row speaks of this very model. `output` is the longest answer and `context` the whole window,
    in tokens. `pdf` and `audio`: it takes PDFs, and recordings, as they are. `alternate`: user and assistant
    must take turns. `results_named`: a result says which tool it is of. `reasoning_back`: what it thought
    before its calls must go back with them. `refuses` are fields of Sampling that are left out,
    `refuses_thinking` those while it thinks, and of `one_of` the first that is set goes alone. `reasons`: its
    reasoning comes sealed when that is asked for. `thinks_with_tools` False: it must be told not to think
    when it is offered tools. `insists`: it can be made to call a tool. `names`: who says something may have a
    name. `shown_in_results`: images of a tool stand in its result.
    `seals_calls`: it takes no call of another model's without a word about it. `answers_schema`: it can be
    held to a schema, and `schema_with_tools` also while it has tools. `schema_refuses` are keywords it does
    not take in a tool's schema. `cuts_at`: a prompt of more tokens may be cut in silence. `retires`: its
    vendor takes it away on that day.
    """

    known: bool = False
    context: int | None = None
    output: int | None = None
    images: bool = True
    pdf: bool = False
    audio: bool = False
    tools: bool = True
    alternate: bool = False
    call_ids: CallIds = ANY_ID
    results_named: bool = False
    reasoning_back: bool = False
    refuses: frozenset[str] = frozenset()
    refuses_thinking: frozenset[str] = frozenset()
    one_of: tuple[str, ...] = ()
    thinking: Thinking = Thinking()
    reasons: bool = False
    thinks_with_tools: bool = True
    insists: bool = True
    names: bool = True
    shown_in_results: bool = False
    seals_calls: bool = False
    max_tokens_field: str = "max_tokens"
    usage_in_stream: bool = True
    answers_schema: bool = True
    schema_with_tools: bool = True
    schema_refuses: frozenset[str] = frozenset()
    cuts_at: int | None = None
    retires: date | None = None
