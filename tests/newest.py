"""Some tests compare dynamix with what botocore knows of the service. They are for a botocore of these days: dynamix
itself works with the older ones that it allows, which know less."""

import botocore
import pytest

LEAST = (1, 43)

against_botocore = pytest.mark.skipif(
    tuple(map(int, botocore.__version__.split(".")[:2])) < LEAST,
    reason=f"botocore {botocore.__version__} is too old to compare with",
)
