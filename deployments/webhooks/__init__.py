"""The receiver of webhooks as a service: listens, keeps what it accepts on disk, and hands it to Prefect.

What a delivery means is the library's (`coolify.webhooks`); what is done about a push is the flow's (`redeploy`).
"""
