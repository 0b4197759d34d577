"""Ship an access log: every new line of it becomes a JSON object on standard output, where the engine's log driver takes it on.

What has been shipped needs no second place: once all of it is out and the file is longer than LIMIT, it is emptied. Its
writer appends, so that it goes on at the new end. After a restart, what the file still holds is shipped again: twice is
better than not at all.
"""

import json
import os
import sys
import time
from pathlib import Path

LOG, ALIVE = Path(os.environ["SHIPPED_LOG"]), Path(os.environ["ALIVE_FILE"])
PROGRAM, LIMIT, PAUSE = os.environ["PROGRAM"], 32 * 1024 * 1024, 1.0


def main() -> None:
    while not LOG.exists():
        ALIVE.touch()
        time.sleep(PAUSE)
    with LOG.open("r+", encoding="utf-8", errors="replace") as log:
        rest = ""
        while True:
            ALIVE.touch()
            if os.fstat(log.fileno()).st_size < log.tell():
                log.seek(0)
            if not (text := log.read(1024 * 1024)):
                if not rest and log.tell() > LIMIT:
                    log.seek(0)
                    log.truncate(0)
                time.sleep(PAUSE)
                continue
            *lines, rest = (rest + text).split("\n")
            for line in lines:
                json.dump({"program": PROGRAM, "line": line}, sys.stdout)
                sys.stdout.write("\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
