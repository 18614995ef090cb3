"""Domain library of coolify-flows: everything that is known about Coolify, DNS, TLS and releases.

Nothing in here imports Prefect; it is usable from any asyncio program and fast to import.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
