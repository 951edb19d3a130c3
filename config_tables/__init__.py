"""For maintainers: the keys that the systems we follow know, asked of these systems themselves.

`make config-tables` writes `src/openclaw_gateway/config/known_keys.json`, from which the gateway tells a key
it does not serve from a mistake. Needs npm, a Node new enough for the newest package, and some gigabytes in
a temporary folder.
"""
