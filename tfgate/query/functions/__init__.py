"""The functions of expressions: importing this registers them all."""

from tfgate.query.functions import (  # noqa: F401 - each registers its functions
    arrays,
    collections,
    documents,
    network,
    numbers,
    objects,
    ordering,
    strings,
    text,
    times,
    types,
    versions,
)
