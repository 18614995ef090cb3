"""Section `backups`: when databases and volumes are backed up, where to, and what proves that a backup is one."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from coolify.config.base import Section, as_list
from coolify.config.databases import DatabaseName
from coolify.config.fields import Label, Line, VolumeName
from coolify.config.interpolation import Reference, literal_part

__all__ = [
    "Backups",
    "Frequency",
    "Keep",
    "Newest",
    "Proof",
    "Query",
    "Retention",
    "Schedule",
    "Storage",
    "VolumeProof",
    "VolumeSchedule",
]

_WORDS: Final = ("hourly", "daily", "weekly", "monthly", "yearly")
_LIMITS: Final = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_PART: Final = re.compile(r"(?:\*|(?P<low>\d+)(?:-(?P<high>\d+))?)(?:/(?P<step>\d+))?")
_BUCKET: Final = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"


def _frequency(text: str) -> str:
    """Check a word or a cron expression of five fields (reference 5.3)."""
    word = text.strip().removeprefix("@")
    if word in _WORDS:
        return word
    fields = text.split()
    if len(fields) != len(_LIMITS):
        raise ValueError(f"is neither one of {', '.join(_WORDS)} nor a cron expression of five fields.")
    for field, (least, most) in zip(fields, _LIMITS, strict=True):
        for part in field.split(","):
            match = _PART.fullmatch(part)
            numbers = [int(one) for one in match.group("low", "high") if one] if match else []
            if match is None or match["step"] == "0" or any(not least <= one <= most for one in numbers):
                raise ValueError(f"`{field}` is not a cron field: numbers from {least} to {most}, `*`, `,`, `-`, `/`.")
    return " ".join(fields)


def _only_reference(reference: Reference) -> Reference:
    if literal_part(reference.text) or not reference.variables:
        raise ValueError("must not hold the secret itself: write `${NAME}` and export the variable before a run.")
    return reference


Frequency = Annotated[str, Field(max_length=120), AfterValidator(_frequency)]
SecretReference = Annotated[Reference, AfterValidator(_only_reference)]
_Names = Annotated[tuple[Line, ...], BeforeValidator(as_list)]


class Storage(Section):
    """An S3 bucket, known to Coolify under the name of the key."""

    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/@]+(/[^\s?#]*)?$")]
    """URL of the S3 endpoint; Coolify must reach it too, and refuses private addresses."""
    bucket: Annotated[str, Field(pattern=_BUCKET)]
    """Bucket."""
    region: Label = "us-east-1"
    """Region."""
    key: SecretReference
    """Access key, as a reference to an environment variable."""
    secret: SecretReference
    """Secret key, as a reference to an environment variable."""
    path_style: bool = True
    """Whether the bucket stands in the path of a URL and not in its host name, as MinIO and most others want it."""


class Retention(Section):
    """What Coolify keeps in one place; 0 is without limit."""

    amount: Annotated[int, Field(ge=0, le=10000)] = 0
    """Number of backups."""
    days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Age in days."""
    gigabytes: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    """Size of all together."""


class Keep(Section):
    """What is kept, on the server and in the bucket."""

    local: Retention = Retention(amount=7)
    """On the Coolify server."""
    s3: Retention = Retention(days=30)
    """In the bucket."""


class Schedule(Section):
    """When one database is backed up, and what is kept."""

    database: DatabaseName
    """Key of the database in `databases`."""
    frequency: Frequency = "0 2 * * *"
    """`hourly`, `daily`, `weekly`, `monthly`, `yearly` or a cron expression, in the time zone of Coolify's server."""
    storage: Label | None = None
    """Key of the bucket in `storages`; without one the backups lie beside what they are to save."""
    names: _Names = ()
    """Databases inside of the server to dump; the main one when left out."""
    all: bool = False
    """Whether everything is dumped into one file, users included."""
    keep: Keep = Keep()
    """What is kept."""
    preset: Literal["grandfather-father-son"] | None = None
    """Makes three schedules of this one: 7 daily, 5 weekly, 12 monthly backups, an hour apart; needs a daily time."""
    timeout: Annotated[int, Field(ge=60, le=36000)] = 3600
    """Seconds that a backup may take."""
    enabled: bool = True
    """Whether it runs."""

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.all and self.names:
            raise ValueError("needs either `names` or `all`, not both.")
        if self.preset and not re.fullmatch(r"\d+ \d+ \* \* \*", self.frequency):
            raise ValueError("`preset` needs a time of the day as `frequency`, as in `0 2 * * *`.")
        if self.preset and self.keep != Keep():
            raise ValueError("`preset` says what is kept: remove `keep`.")
        return self


class VolumeProof(Section):
    """What must be so in the archive of a volume, and how old the proof may become."""

    max_age_days: Annotated[float, Field(gt=0, le=3650, allow_inf_nan=False)] = 8.0
    """Days after which a proof is overdue."""
    paths: _Names = ()
    """Files and directories that must be in it, as seen from the volume's root."""
    files: Annotated[int, Field(ge=1)] = 1
    """The least number of files."""
    newest_hours: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Age in hours that the file which was changed last may have when the archive is made."""
    shrink_percent: Annotated[int, Field(ge=1, le=100)] = 50
    """An archive that is smaller by so much than the median of the last ones is told."""
    timeout: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] = 3600.0
    """Seconds that reading an archive may take."""


class VolumeSchedule(Section):
    """When a volume is archived (Coolify 4.3.0), and what is kept; there is one schedule a volume."""

    database: DatabaseName | None = None
    """Key of the database whose data the volume holds; without one it is the application's volume of that name."""
    frequency: Frequency = "0 5 * * *"
    """As of a database."""
    storage: Label | None = None
    """Key of the bucket in `storages`. Only what lies in a bucket can be seen: Coolify lists no archives."""
    keep: Keep = Keep()
    """What is kept."""
    stop: bool = False
    """Whether the containers that use it are stopped meanwhile; needed where files change while they are read."""
    proof: VolumeProof = VolumeProof()
    """What must be so in the archive."""
    timeout: Annotated[int, Field(ge=60, le=36000)] = 3600
    """Seconds that a backup may take."""
    enabled: bool = True
    """Whether it runs."""


class Newest(Section):
    """A table whose newest row must be young when the backup is made."""

    table: Line
    """Table."""
    column: Line
    """Column with the time of a row; a time without zone is UTC."""
    hours: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Age in hours that the newest row may have."""


class Query(Section):
    """A question of your own to the restored database."""

    sql: Annotated[str, Field(min_length=1, max_length=4000)]
    """One statement that yields one value."""
    expect: Annotated[str, Field(coerce_numbers_to_str=True)] = "1"
    """The value as text."""


class Proof(Section):
    """What must be so in the restored database, and how old the proof may become."""

    max_age_days: Annotated[float, Field(gt=0, le=3650, allow_inf_nan=False)] = 8.0
    """Days after which a proof is overdue."""
    tables: _Names = ()
    """Tables (collections, keys) that must exist."""
    rows: dict[str, Annotated[int, Field(ge=1)]] = Field(default={})
    """Table -> the least number of rows."""
    newest: tuple[Newest, ...] = ()
    """Tables that must hold young rows."""
    sql: tuple[Query, ...] = ()
    """Questions of your own."""
    shrink_percent: Annotated[int, Field(ge=1, le=100)] = 50
    """A dump that is smaller by so much than the median of the last ones is told."""
    server: SecretReference | None = None
    """Server to restore into instead of a scratch one: `postgresql://user:password@host/` in an environment variable;
    a database of a name of its own is created there and dropped afterwards."""
    decrypt: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    """Command of a shell that reads a dump and writes it in clear, as `age -d -i KEYFILE`; Coolify does not encrypt."""
    timeout: Annotated[float, Field(gt=0, le=86400, allow_inf_nan=False)] = 3600.0
    """Seconds that fetching, restoring and checking may take together."""
    objects: Annotated[str, Field(pattern=r"^[^/\s][^\n]*$", max_length=512)] | None = None
    """Prefix in the bucket `storage` under which something else than Coolify puts dumps: for Redis and its kin, which
    Coolify does not back up."""
    storage: Label | None = None
    """Bucket of `objects`."""

    @model_validator(mode="after")
    def _objects_have_a_bucket(self) -> Self:
        if (self.objects is None) != (self.storage is None):
            raise ValueError("needs `objects` and `storage` together.")
        return self


class Backups(Section):
    """Backups of the databases and volumes, and what proves them."""

    storages: dict[Label, Storage] = Field(default={})
    """Name -> bucket."""
    schedules: dict[Label, Schedule] = Field(default={})
    """Name -> schedule; several may back up one database."""
    volumes: dict[VolumeName, VolumeSchedule] = Field(default={})
    """Volume -> when it is archived."""
    proofs: dict[DatabaseName, Proof] = Field(default={})
    """Database -> what must be so in it once it is restored; without an entry it only must restore and hold tables."""

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, data: Any) -> Any:  # noqa: ANN401 - pydantic hands over whatever was written
        return {key: one for key, one in data.items() if one is not None} if isinstance(data, Mapping) else data

    @model_validator(mode="after")
    def _storages_exist(self) -> Self:
        wanted = [(f"schedules.{name}", one.storage) for name, one in self.schedules.items()]
        wanted += [(f"volumes.{name}", one.storage) for name, one in self.volumes.items()]
        wanted += [(f"proofs.{name}", one.storage) for name, one in self.proofs.items()]
        for where, storage in wanted:
            if storage is not None and storage not in self.storages:
                raise ValueError(f"`{where}.storage` names '{storage}', which is not in `storages`.")
        return self

    @property
    def has_schedules(self) -> bool:
        """Whether anything is to be backed up by Coolify."""
        return bool(self.schedules or self.volumes)

    def proof_of(self, database: str) -> Proof:
        """Return what must be so in a database."""
        return self.proofs.get(database, Proof())
