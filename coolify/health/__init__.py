"""Whether an application works, asked through its front door; and the gate that a release has to pass."""

from coolify.health.gate import Gate, GatePolicy, GateResult, Verdict, container_log, run_gate
from coolify.health.probe import HttpProbe, HttpTarget, ProbeResult, probe_http

__all__ = [
    "Gate",
    "GatePolicy",
    "GateResult",
    "HttpProbe",
    "HttpTarget",
    "ProbeResult",
    "Verdict",
    "container_log",
    "probe_http",
    "run_gate",
]
