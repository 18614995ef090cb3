"""The Coolify half of the sandbox: HTTP API, state in SQLite, abilities, queueing, version switches.

It runs nothing itself; deployments are handed to `coolify_sandbox.runtime` through its contract.
"""
