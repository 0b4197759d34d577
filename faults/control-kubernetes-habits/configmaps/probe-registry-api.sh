# livenessProbe and readinessProbe of registry-api-0
set -e
answers 8001 /live
answers 8001 /ready
