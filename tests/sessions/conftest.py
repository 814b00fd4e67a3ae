"""Pools as in the system tests."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent))

from fixtures import make_pool  # noqa: E402, F401
