"""Resource groups around an application: teams, projects, environments, keys."""

from collections.abc import Awaitable, Callable

from pydantic import BaseModel, Field, SecretStr

from coolify.api.capabilities import Capabilities, Feature
from coolify.api.choosing import the_one
from coolify.api.errors import AmbiguousNameError, ConflictError, NotFoundError
from coolify.api.models import Answer, Application, Environment, PrivateKey, Project, Team, listing
from coolify.api.reconcile import Ensured, create_once
from coolify.api.transport import Transport

__all__ = ["Environments", "Member", "PrivateKeys", "Projects", "Teams"]

_TEAMS = listing(Team)
_PROJECTS = listing(Project)
_ENVIRONMENTS = listing(Environment)
_KEYS = listing(PrivateKey)


class Member(Answer):
    """Somebody in a team."""

    id: int
    name: str
    email: str | None = None


_MEMBERS = listing(Member)


class _Created(BaseModel):
    uuid: str


class _PrivateHalf(BaseModel):
    private_key: SecretStr | None = None


class _Contents(BaseModel):
    applications: tuple[Application, ...] = Field(default=())


class Teams:
    """`/teams` (reference 0.5)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def current(self) -> Team:
        """Return the team of the token; the path exists on every version."""
        return Team.model_validate(await self._transport.get("/teams/current"))

    async def list(self) -> tuple[Team, ...]:
        """Return the teams that the token may see: its own."""
        return _TEAMS.validate_python(await self._transport.get("/teams"))

    async def members(self) -> tuple[Member, ...]:
        """Return the members of the token's team."""
        return _MEMBERS.validate_python(await self._transport.get("/teams/current/members"))


class Projects:
    """`/projects` (reference 1.1)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[Project, ...]:
        """Return all projects of the team, without environments."""
        return _PROJECTS.validate_python(await self._transport.get("/projects"))

    async def get(self, uuid: str) -> Project:
        """Return one project with its environments."""
        return Project.model_validate(await self._transport.get(f"/projects/{uuid}"))

    async def find(self, name: str) -> Project | None:
        """Return the only project with this name, None if there is none.

        Raises:
            AmbiguousNameError: Names are not unique in Coolify, and several projects have this one.
        """
        fitting = [project for project in await self.list() if project.name == name]
        if len(fitting) > 1:
            raise AmbiguousNameError(
                f"There are {len(fitting)} projects named '{name}' ({', '.join(one.uuid for one in fitting)}): set "
                "project.uuid to the one that is meant, or rename the others in Coolify."
            )
        return await self.get(fitting[0].uuid) if fitting else None

    async def locate(self, name: str, uuid: str | None = None) -> Project | None:
        """Return the project with this UUID or else this name, None if there is none.

        Raises:
            AmbiguousNameError: Several projects have this name.
        """
        if uuid is not None:
            try:
                return await self.get(uuid)
            except NotFoundError:
                # The UUID is of another instance, for example in a copied file: the name decides.
                pass
        return await self.find(name)

    async def create(self, name: str, description: str | None = None) -> Project:
        """Create a project; Coolify adds the environment `production`."""

        async def send() -> Project:
            body = {"name": name} | ({"description": description} if description else {})
            created = _Created.model_validate(await self._transport.post_once("/projects", body))
            return await self.get(created.uuid)

        return await create_once(send, lambda: self.find(name))

    async def ensure(self, name: str, uuid: str | None = None, description: str | None = None) -> Ensured[Project]:
        """Return the project with this UUID or else this name, created if there is none.

        Raises:
            AmbiguousNameError: Several projects have this name.
        """
        found = await self.locate(name, uuid)
        if found is not None:
            return Ensured(found, created=False)
        return Ensured(await self.create(name, description), created=True)

    async def update(self, uuid: str, *, name: str | None = None, description: str | None = None) -> None:
        """Change name or description; what is None stays."""
        body = {"name": name, "description": description}
        await self._transport.patch(f"/projects/{uuid}", {key: one for key, one in body.items() if one is not None})

    async def delete(self, uuid: str) -> None:
        """Delete a project with its environments.

        Raises:
            BadRequestError: It still has resources.
        """
        await self._transport.delete(f"/projects/{uuid}")


class Environments:
    """`/projects/{uuid}/environments` (reference 1.1)."""

    def __init__(self, transport: Transport, capabilities: Callable[[], Awaitable[Capabilities]]) -> None:
        self._transport = transport
        self._capabilities = capabilities

    async def list(self, project_uuid: str) -> tuple[Environment, ...]:
        """Return the environments of a project."""
        return _ENVIRONMENTS.validate_python(await self._transport.get(f"/projects/{project_uuid}/environments"))

    async def applications(self, project_uuid: str, environment: str) -> tuple[Application, ...]:
        """Return the applications of an environment; only identity and name are certain to be complete."""
        answer = await self._transport.get(f"/projects/{project_uuid}/{environment}")
        return _Contents.model_validate(answer).applications

    async def ensure(self, project_uuid: str, name: str) -> Ensured[Environment]:
        """Return the environment with this name, created if there is none."""
        found = await self._find(project_uuid, name)
        if found is not None:
            return Ensured(found, created=False)

        async def send() -> Environment:
            body = {"name": name}
            answer = await self._transport.post_once(f"/projects/{project_uuid}/environments", body)
            return Environment(uuid=_Created.model_validate(answer).uuid, name=name)

        try:
            return Ensured(await create_once(send, lambda: self._find(project_uuid, name)), created=True)
        except ConflictError:
            # Somebody else created it between our look and our request.
            existing = await self._find(project_uuid, name)
            if existing is None:
                raise
            return Ensured(existing, created=False)

    async def update(
        self, project_uuid: str, environment: str, *, name: str | None = None, description: str | None = None
    ) -> None:
        """Change name or description; what is None stays (4.3.0 and later)."""
        (await self._capabilities()).require(Feature.ENVIRONMENT_UPDATE)
        body = {"name": name, "description": description}
        path = f"/projects/{project_uuid}/environments/{environment}"
        await self._transport.patch(path, {key: one for key, one in body.items() if one is not None})

    async def delete(self, project_uuid: str, environment: str) -> None:
        """Delete an environment by its name or UUID.

        Raises:
            BadRequestError: It still has resources.
        """
        await self._transport.delete(f"/projects/{project_uuid}/environments/{environment}")

    async def _find(self, project_uuid: str, name: str) -> Environment | None:
        return next((one for one in await self.list(project_uuid) if one.name == name), None)


class PrivateKeys:
    """`/security/keys` (reference 1.4)."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self) -> tuple[PrivateKey, ...]:
        """Return the private keys of the team."""
        return _KEYS.validate_python(await self._transport.get("/security/keys"))

    async def find(self, name_or_uuid: str) -> PrivateKey:
        """Return the key with this name or UUID.

        Raises:
            AmbiguousNameError: None or several fit.
        """
        return the_one(await self.list(), name_or_uuid, kind="private keys", key="source.private_key")

    async def private_half(self, uuid: str) -> SecretStr | None:
        """Return the private half of a key, None where the token may not see it (`read:sensitive`)."""
        answer = _PrivateHalf.model_validate(await self._transport.get(f"/security/keys/{uuid}"))
        return answer.private_key

    async def create(self, name: str, private_key: SecretStr) -> PrivateKey:
        """Add a private key in PEM; its fingerprint must be new."""

        async def send() -> PrivateKey:
            body = {"name": name, "private_key": private_key.get_secret_value()}
            answer = await self._transport.post_once("/security/keys", body)
            return PrivateKey(uuid=_Created.model_validate(answer).uuid, name=name)

        async def find() -> PrivateKey | None:
            return next((key for key in await self.list() if key.name == name), None)

        return await create_once(send, find)

    async def get(self, uuid: str) -> PrivateKey:
        """Return one key, without its private half."""
        return PrivateKey.model_validate(await self._transport.get(f"/security/keys/{uuid}"))

    async def update(self, uuid: str, name: str, private_key: SecretStr) -> None:
        """Replace a key; Coolify wants the private half with every change."""
        body = {"name": name, "private_key": private_key.get_secret_value()}
        await self._transport.patch(f"/security/keys/{uuid}", body)

    async def delete(self, uuid: str) -> None:
        """Delete a key.

        Raises:
            ValidationFailedError: Servers or applications use it.
        """
        await self._transport.delete(f"/security/keys/{uuid}")
