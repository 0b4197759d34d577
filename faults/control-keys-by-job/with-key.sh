#!/bin/bash
# with-key.sh PROGRAM ...: read the store's key from an AWS credentials file into the environment, then become the program.
set -euo pipefail
AWS_ACCESS_KEY_ID=$(sed -n 's/^aws_access_key_id = //p' "$KEY_FILE")
AWS_SECRET_ACCESS_KEY=$(sed -n 's/^aws_secret_access_key = //p' "$KEY_FILE")
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
exec "$@"
