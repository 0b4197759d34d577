#!/bin/sh
# Legt an, was die Datenbank auf ihren weiteren Datentraegern vorfinden muss; aendert nichts, was schon stimmt.
set -eu
install -d -o postgres -g postgres -m 0700 /tablespaces/fachverfahren
install -d -o postgres -g postgres -m 0755 /protokolle/datenbank
ls -ldn /tablespaces/fachverfahren /protokolle/datenbank
