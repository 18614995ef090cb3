"""A shop that serves, without the work of a release: for tests whose subject begins afterwards."""

from coolify.api import ApplicationSettings, DeploymentStatus, Placement
from coolify.config import load_config
from coolify.plan import desired_settings
from coolify.security import WantedSecurity, plan_labels
from tasks.projects import create_application


async def serve(shop) -> None:
    """Create the application as its file describes it, deploy it, and wait until it runs."""
    config = load_config(shop.config)
    security = WantedSecurity(config.security)
    async with shop.client() as client:
        project = (await client.projects.ensure(config.project.name)).value
        await client.environments.ensure(project.uuid, config.environment)
        (server,) = await client.servers.list()
        placement = Placement(project_uuid=project.uuid, environment_name=config.environment, server_uuid=server.uuid)
        application = await create_application.fn(client, config, placement, desired_settings(config, security))
        labels = plan_labels(await client.applications.get(application.uuid), security).labels
        if labels is not None:
            await client.applications.update(application.uuid, ApplicationSettings(custom_labels=labels))
        triggered = await client.deployments.trigger(application.uuid)
        async for event in client.deployments.follow(triggered.deployment_uuid, interval=0.1, timeout=60):
            last = event
        assert last.deployment.status is DeploymentStatus.FINISHED
    shop.sandbox.app.state.faults.requests.clear()
