#!/bin/bash
# run.sh PROGRAM...: the consumer's secrets into the environment, then the program in this process's place.
set -euo pipefail
. /run/handover/env
exec "$@"
