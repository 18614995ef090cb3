"""Configuration of Prometheus, Alertmanager and Grafana for what `coolify monitor serve` exposes.

What lives here: the texts of the files, made from what is watched, and the plan that compares them with what is there;
all of it pure but the last step. What does not: the metrics themselves (`coolify.monitor.metrics`).
"""
