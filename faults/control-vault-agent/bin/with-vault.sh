#!/bin/bash
# with-vault.sh CONSUMER PROGRAM...: takes the consumer's secrets into the environment and becomes the program.
set -euo pipefail
secrets=/vault/secrets/$1.env
shift
for _ in {1..60}; do
  [ -r "$secrets" ] && break
  echo "with-vault: waiting for $secrets"
  sleep 1
done
set -a
# shellcheck disable=SC1090
. "$secrets"
set +a
exec "$@"
