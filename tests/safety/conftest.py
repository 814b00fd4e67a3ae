"""Pools as in the system tests; what the Windows tests have is found as well."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / 'windows'))

from fixtures import make_pool  # noqa: E402, F401
