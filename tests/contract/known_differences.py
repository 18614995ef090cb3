"""Where the sandbox answers otherwise than the recorded Coolify did, and why. The list only ever shrinks."""

CURRENT = (
    "the recorded server's stand-in for Docker found a container by the application's UUID, which real ones do not"
)
KNOWN = {
    "databases:logs": "the recorded server had no SSH connection; here there is one, and the database does not run",
    "deploy_with_ssh:rollback_images": CURRENT,
    "deploy_with_ssh:rollback_images_after": CURRENT,
    "deploy_with_ssh:rollback_images_two": CURRENT,
    "s3:validate": "the recorded Coolify lacked the AWS library: its answer is about itself",
    "servers:destination_delete": "the recorded server had no SSH connection to remove the network over",
    "services:create_bad_type": "the catalogue of one-click services has one entry here, there it has 340",
}
"""File and name of an exchange, or of all exchanges of a file -> reason."""


def reason_for(key: str) -> str | None:
    file = key.partition(":")[0]
    return KNOWN.get(key) or KNOWN.get(f"{file}:*")
