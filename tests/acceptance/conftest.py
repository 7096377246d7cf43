"""One running product for all tests of a module."""

from collections.abc import Iterator

import pytest

from tests.acceptance.product import demo_product
from tests.acceptance.stack import Stack, linked_stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Give the whole product as processes, with one linked account."""
    with demo_product() as product, linked_stack(product) as stack:
        yield stack
