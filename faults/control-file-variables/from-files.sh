#!/bin/bash
# from-files.sh PROGRAM ...: what NAME_FILE points at becomes NAME; then the program takes this process over.
set -euo pipefail
for variable in $(compgen -e); do
    case $variable in
        *_PASSWORD_FILE | *_KEY_FILE | *_KEYS_FILE | *_URI_FILE | REDIS_URL_FILE)
            value=$(< "${!variable}")
            export "${variable%_FILE}=$value"
            unset "$variable"
            ;;
    esac
done
unset variable value
exec "$@"
