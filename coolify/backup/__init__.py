"""Backups: the truth about an execution, what retention will delete, and proof by restore.

Pure decisions (`truth`, `cron`, `retention`, `schedules`, `record`) apart from the edges: `objects` (S3), `dumps`
(files), `scratch` (servers that live as long as a proof), `engines` (one module an engine), `proof` (all together).
"""
