"""What tests of this room share."""

import pytest

from tests.go_caches import go_caches_of


@pytest.fixture(scope="session")
def go_caches(request):
    """One Go cache for all: what one test compiled, the next need not."""
    return go_caches_of(request.config)
