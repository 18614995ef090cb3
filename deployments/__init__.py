"""What an operator applies to a Prefect server: deployments of the flows and what they need."""
