"""launch.py NAME=FILE ... -- PROGRAM ...: put the content of each file into the environment, then become the program.

A text `{NAME}` in a variable that is there already stands for the value of NAME: addresses are written without their passwords.
"""

import os
import sys
from pathlib import Path

split = sys.argv.index("--")
secrets = dict(word.split("=", 1) for word in sys.argv[1:split])
values = {name: Path(file).read_text(encoding="utf-8").strip() for name, file in secrets.items()}
if empty := [name for name, value in values.items() if not value]:
    sys.exit(f"launch: nothing in the file of {', '.join(empty)}")
for variable in os.environ.get("FILL", "").split():
    for name, value in values.items():
        os.environ[variable] = os.environ[variable].replace("{" + name + "}", value)
os.environ.update(values)
os.environ.pop("FILL", None)
program = sys.argv[split + 1 :]
os.execvp(program[0], program)
