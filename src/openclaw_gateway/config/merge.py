"""How two documents become one. Pure.

Objects always merge key by key and a later scalar always wins. Lists differ: the parts of a split file
(`$include`) add to each other, so their lists are concatenated; the overlay corrects what the main file
says, so a list in it replaces the list below. A value of another kind replaces what was there.
"""

from typing import Any, Literal

from openclaw_gateway.config.places import join_lists, join_objects


def merge(base: Any, over: Any, *, lists: Literal["concatenate", "replace"]) -> Any:
    if isinstance(base, dict) and isinstance(over, dict):
        both = {key: merge(base[key], value, lists=lists) for key, value in over.items() if key in base}
        return join_objects(join_objects(base, over), both)
    if lists == "concatenate" and isinstance(base, list) and isinstance(over, list):
        return join_lists(base, over)
    return over
