"""What a lost database looks like to those above: `Unavailable`, whatever the library raised."""

from collections.abc import Generator
from contextlib import contextmanager

from domain.refusal import Unavailable
from store.database import WORLD_FAILED


@contextmanager
def database_errors() -> Generator[None]:
    """Turns the errors of a lost or restarting database into `Unavailable`; a bug stays what it is."""
    try:
        yield
    except WORLD_FAILED as error:
        raise Unavailable("PostgreSQL cannot be reached") from error
