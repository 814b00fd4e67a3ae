"""Who may ask, and what is shown to whom: poold and poolctl are real, the SCM is simulated."""

from fixtures import make_pool, pool, server  # noqa: F401
