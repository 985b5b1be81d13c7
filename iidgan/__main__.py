"""`python -m iidgan`."""

import sys

from iidgan.cli import main

sys.exit(main())
