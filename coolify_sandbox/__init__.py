"""An embedded Coolify with DNS, certificate authority and edge proxy on loopback, for the demo and tests.

It is not Coolify and must never hold anything that matters: no container isolates what it runs.
"""
