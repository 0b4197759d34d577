#!/bin/sh
# Issues what is missing and hands each holder its own pair; run at every roll-out, does nothing to what is still good.
set -eu
umask 077
cd /ca

if [ ! -s ca.crt ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -sha256 \
    -subj "/O=Bank/OU=Model Risk/CN=Model Registry Issuing CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout ca.key -out ca.crt
  echo "pki: made the issuing CA"
fi

# issue NAME USAGE SAN
issue() {
  if [ -s "$1.crt" ] && openssl x509 -in "$1.crt" -noout -checkend 2592000 >/dev/null; then
    return 0
  fi
  {
    echo "extendedKeyUsage = $2"
    [ -z "$3" ] || echo "subjectAltName = $3"
  } > "$1.ext"
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \
    -subj "/O=Bank/OU=Model Risk/CN=$1" -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 397 -sha256 \
    -extfile "$1.ext" -out "$1.crt"
  echo "pki: issued $1"
}

# hand NAME FOLDER OWNER
hand() {
  install -m 0444 ca.crt "$2/ca.crt"
  install -m 0444 "$1.crt" "$2/tls.crt"
  install -o "$3" -m 0400 "$1.key" "$2/tls.key"
}

issue pgdb01 serverAuth "DNS:pgdb01,DNS:localhost,IP:127.0.0.1"
issue dba clientAuth ""
issue svc_mlflow clientAuth ""
issue svc_registry clientAuth ""

hand pgdb01 /out/pgdb01 postgres
hand dba /out/dba postgres
hand svc_mlflow /out/svc_mlflow 10002
hand svc_registry /out/svc_registry 10001
openssl verify -CAfile ca.crt pgdb01.crt dba.crt svc_mlflow.crt svc_registry.crt
