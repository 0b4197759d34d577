"""Where pytest starts: the plugins that make up the harness, lowest layer first."""

pytest_plugins = [
    "pytester",
    "reports.plugin",
    "fixtures.stack",
    "fixtures.target",
    "fixtures.process",
    "fixtures.witnesses",
    "fixtures.sink",
    "fixtures.gate",
    "fixtures.samples",
    "fixtures.registrations",
]
