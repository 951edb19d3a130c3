"""The bus of many processes, over a server that speaks Redis's protocol (Redis from 6.2, Valkey from 7.2).

`bus` is what others use. Nothing that must not be lost is kept here. Imported only where a bus is configured:
what parses its answers is in the extra `cluster`.
"""
