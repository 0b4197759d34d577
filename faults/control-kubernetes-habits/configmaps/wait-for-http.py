"""Init container: until an address answers 200, at most four minutes."""

import sys
import time
import urllib.request

address = sys.argv[1]
for attempt in range(1, 121):
    try:
        with urllib.request.urlopen(address, timeout=3) as answer:
            if answer.status == 200:
                print(f"{address} answers")
                sys.exit(0)
    except OSError as error:
        print(f"attempt {attempt}: {error}", flush=True)
    time.sleep(2)
sys.exit(1)
