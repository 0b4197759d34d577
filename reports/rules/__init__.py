"""The rules of the diagnosis, one theme a module; reports/diagnosis.py lists them in order."""
