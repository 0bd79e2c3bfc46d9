"""`python -m dynamix` is the `dynamix` command."""

import sys

from dynamix.cli import main

sys.exit(main())
