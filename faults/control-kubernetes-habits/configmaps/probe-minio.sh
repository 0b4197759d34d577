# livenessProbe and readinessProbe of minio-0
set -e
answers 9000 /minio/health/live
answers 9000 /minio/health/ready
