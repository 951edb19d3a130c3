"""What the operator wrote, as one frozen tree.

`load.load_config` is the way in, `schema` is what comes out. Everything else here is a step between
the two; no step keeps state, changes the process environment or knows who will use the result.
"""
