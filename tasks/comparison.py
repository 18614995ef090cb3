"""The whole configuration beside the server."""

from __future__ import annotations

from coolify.databases import resolve_with_databases
from coolify.plan import Plan, make_plan, read_actual
from tasks.phases import step_done
from tasks.session import Session
from tasks.steps import step

__all__ = ["compare_with_server"]


@step("compare with server")
async def compare_with_server(session: Session) -> Plan:
    """Return what stands between the configuration and the server."""
    # Connections of databases are part of variables: without them every release would look like drift.
    session.variables = await resolve_with_databases(session.client, session.config, session.environ)
    plan = make_plan(
        session.config, session.variables, await read_actual(session.client, session.config), session.security
    )
    step_done(f"{len(plan.actions)} resources compared")
    return plan
