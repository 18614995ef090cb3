"""The physical half of the sandbox: builds, processes, images, names, certificates and the edge proxy.

It knows nothing of Coolify's HTTP API or database; `contract` is what the server half sees of it.
"""
