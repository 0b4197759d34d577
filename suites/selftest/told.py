"""What is diagnosed of every story and of every fault's kept evidence, word for word, kept in told.txt: a change of a word is seen where it is reviewed.

`.venv/bin/python -m suites.selftest.told` writes it anew; git shows what became of it.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from faults import kept
from faults.corpus import load
from reports.diagnosis import diagnose
from reports.evidence import Bundle
from suites.selftest.test_stories import TOLD

FILE = Path(__file__).with_name("told.txt")


def bundles() -> Iterator[tuple[str, Bundle]]:
    """Name and bundle of each story, then of each fault whose evidence is kept."""
    for name, (story, _, _) in TOLD.items():
        yield f"story: {name}", story.done()
    for fault in load():
        if (bundle := kept.load(fault.folder)) is not None:
            yield f"fault: {fault.id}", bundle


def lines(name: str, bundle: Bundle) -> Iterator[str]:
    """All that is diagnosed of a bundle, for people to read."""
    yield f"[{name}]"
    for entry in diagnose(bundle):
        yield f"{entry.cause} @ {entry.component} ({entry.confidence}, {entry.layer})"
        yield f"  {entry.summary}"
        yield f"  {entry.remedy}"
        if entry.patch:
            yield f"  patch {json.dumps(entry.patch, sort_keys=True)}"
        yield f"  evidence {', '.join(map(str, entry.evidence))}; explains {', '.join(entry.explains) or 'nothing'}"
    yield ""


def whole() -> str:
    """The whole file."""
    return "\n".join(line for name, bundle in bundles() for line in lines(name, bundle))


if __name__ == "__main__":
    FILE.write_text(whole(), encoding="utf-8")
