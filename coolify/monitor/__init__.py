"""Watching applications: one look at each, what has changed since the last, and what others make of it.

What lives here: the look itself (made of the checks of the other rooms), the pure comparison with what is remembered,
metrics, and the configuration of Prometheus, Alertmanager and Grafana. What does not: sending alerts and keeping state,
which is Prefect's part (`tasks/watching.py`, `blocks`).
"""
