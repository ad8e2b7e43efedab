"""The optimiser: a dispatch day in, a plan with its reasons out.

Callers outside this folder import `client` (starts a planner process, loads no solver) and `scenario` (the facts of a day).
"""
