"""The names of `coolify.api`."""

from coolify.api.application_specs import (
    ApplicationSpec,
    DeployKeySource,
    DockerfileSource,
    DockerImageSource,
    GithubAppSource,
    PublicGitSource,
    VariableWrite,
)
from coolify.api.capabilities import Capabilities, CoolifyVersion, Feature
from coolify.api.client import CoolifyClient
from coolify.api.deployments import Triggered
from coolify.api.errors import (
    AmbiguousNameError,
    AnswerLostError,
    ApiError,
    AuthenticationError,
    CoolifyError,
    DeploymentNotStoredError,
    FollowTimeoutError,
    MissingAbilityError,
    NotFoundError,
    QueueFullError,
    TransportError,
    UnsupportedVersionError,
)
from coolify.api.models import (
    Ability,
    Access,
    Application,
    Deployment,
    DeploymentStatus,
    Environment,
    LogLine,
    Project,
    RollbackImages,
    Server,
    Team,
    Variable,
)
from coolify.api.placement import Placement
from coolify.api.reconcile import Ensured
from coolify.api.settings import ApplicationSettings
from coolify.api.token import CommandToken, EnvironmentToken, StaticToken, TokenError, TokenSource
from coolify.api.transport import RetryPolicy, Timeouts
from coolify.api.watcher import DeploymentEvent, LogLines, Looked, StatusChanged

__all__ = [
    "Ability",
    "Access",
    "AmbiguousNameError",
    "AnswerLostError",
    "ApiError",
    "Application",
    "ApplicationSettings",
    "ApplicationSpec",
    "AuthenticationError",
    "Capabilities",
    "CommandToken",
    "CoolifyClient",
    "CoolifyError",
    "CoolifyVersion",
    "DeployKeySource",
    "Deployment",
    "DeploymentEvent",
    "DeploymentNotStoredError",
    "DeploymentStatus",
    "DockerImageSource",
    "DockerfileSource",
    "Ensured",
    "Environment",
    "EnvironmentToken",
    "Feature",
    "FollowTimeoutError",
    "GithubAppSource",
    "LogLine",
    "LogLines",
    "Looked",
    "MissingAbilityError",
    "NotFoundError",
    "Placement",
    "Project",
    "PublicGitSource",
    "QueueFullError",
    "RetryPolicy",
    "RollbackImages",
    "Server",
    "StaticToken",
    "StatusChanged",
    "Team",
    "Timeouts",
    "TokenError",
    "TokenSource",
    "TransportError",
    "Triggered",
    "UnsupportedVersionError",
    "Variable",
    "VariableWrite",
]
