"""Objects of an S3 store: listed, and fetched whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mlops.errors import BusyError, ConfigurationError, MissingInputError, MlopsError, UnavailableError
from mlops.files import unwritable

_CHUNK = 1 << 22


def objects(address: str) -> list[str]:
    """The addresses of the objects that `s3://bucket/key` names: itself, those of a pattern, or those below a prefix.

    Raises:
        MissingInputError: there is none.
        UnavailableError, ConfigurationError: the store does not answer, or has no credentials for us.
    """
    store = _store()
    key = address.removeprefix("s3://").strip("/")
    try:
        if any(sign in key for sign in "*?["):
            found = store.glob(key)
        elif store.isfile(key):
            found = [key]
        else:
            found = store.find(key)
    except Exception as error:  # the client's, the transport's and the system's errors have no common base
        raise _told(error, address) from error
    names = sorted(name for name in found if not name.rpartition("/")[2].startswith((".", "_")))
    if not names:
        raise MissingInputError("there is no such object", where=address, mend="check bucket, key and your right to it")
    return [f"s3://{name}" for name in names]


def fetch(address: str, target: Path) -> Path:
    """The object's bytes in a file beside `target`, its ETag in the name.

    What an earlier, interrupted call has fetched of the same object, or an earlier one wholly, is kept.

    Raises:
        BusyError: the object was replaced while it was fetched.
        MissingInputError, UnavailableError, ConfigurationError: see `objects`.
    """
    store, key = _store(), address.removeprefix("s3://")
    try:
        facts = store.info(key)
        tag, size = str(facts.get("ETag", "")).strip('"'), int(facts["size"])
        whole = target.with_name(f"{target.name}.{''.join(filter(str.isalnum, tag))[:40]}")
        if tag and whole.is_file() and whole.stat().st_size == size:
            return whole
        part = whole.with_name(f"{whole.name}.part")
        with part.open("ab") as file, store.open(key, "rb", cache_type="readahead", block_size=_CHUNK) as source:
            source.seek(file.tell() if file.tell() <= size else 0)
            file.truncate(source.tell())
            while content := source.read(_CHUNK):
                file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if part.stat().st_size != size:
            raise UnavailableError(
                f"the transfer ended after {part.stat().st_size} of {size} bytes", where=address, mend="try again"
            )
        os.replace(part, whole)
    except OSError as error:
        if error.errno is not None and error.filename is not None and str(target) in str(error.filename):
            raise unwritable(target, error) from error
        raise _told(error, address) from error
    except MlopsError:
        raise
    except Exception as error:
        raise _told(error, address) from error
    return whole


def _store() -> Any:
    """The store that AWS's usual variables and files describe (`AWS_ENDPOINT_URL` for one that is not Amazon's)."""
    import s3fs

    return s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)


def _told(error: Exception, address: str) -> MlopsError:
    name, text = type(error).__name__, str(error).strip().splitlines()[0][:200] if str(error).strip() else ""
    if isinstance(error, FileNotFoundError):
        return MissingInputError("there is no such object", where=address, mend="check bucket, key and your rights")
    if isinstance(error, PermissionError) or name in ("NoCredentialsError", "PartialCredentialsError"):
        return ConfigurationError(
            f"the store refuses: {text or name}", where=address,
            mend="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, for a user who may read it",
        )
    if name == "FileExpired":
        return BusyError("the object was replaced while it was fetched", where=address, mend="try again")
    return UnavailableError(
        f"the store did not answer: {name} {text}".rstrip(), where=address,
        mend="check AWS_ENDPOINT_URL and the network, then try again",
    )
