#!/bin/sh
# Root, issuing CA, one certificate for the edge. The root's key is thrown away once it has signed.
set -eu
umask 077
cd /ca

if [ ! -s issuing.crt ]; then
  openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 7300 -subj "/O=Assekuranz/CN=Assekuranz Root CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout root.key -out root.crt
  openssl req -new -newkey rsa:2048 -nodes -sha256 -subj "/O=Assekuranz/CN=Assekuranz Issuing CA 3" \
    -keyout issuing.key -out issuing.csr
  printf "%s\n" "basicConstraints = critical,CA:true,pathlen:0" "subjectKeyIdentifier = hash" "authorityKeyIdentifier = keyid" "keyUsage = critical,keyCertSign,cRLSign" > issuing.ext
  openssl x509 -req -in issuing.csr -CA root.crt -CAkey root.key -CAcreateserial -sha256 -days 3650 \
    -extfile issuing.ext -out issuing.crt
  rm root.key
fi

if [ ! -s edge.crt ] || ! openssl x509 -in edge.crt -noout -checkend 2592000; then
  openssl req -new -newkey rsa:2048 -nodes -sha256 -subj "/O=Assekuranz/CN=edge" -keyout edge.key -out edge.csr
  printf "%s\n" "basicConstraints = CA:false" "subjectKeyIdentifier = hash" "authorityKeyIdentifier = keyid" "extendedKeyUsage = serverAuth" \
    "subjectAltName = DNS:mlflow.assekuranz.internal,DNS:register.assekuranz.internal,DNS:edge,DNS:localhost,IP:127.0.0.1" > edge.ext
  openssl x509 -req -in edge.csr -CA issuing.crt -CAkey issuing.key -CAcreateserial -sha256 -days 397 \
    -extfile edge.ext -out edge.crt
fi

openssl verify -CAfile root.crt -untrusted issuing.crt edge.crt

# the edge's own folder: nobody else mounts it, and its user has no fixed number
cat edge.crt issuing.crt > /edge/fullchain.pem
cp edge.key /edge/edge.key
chmod 0444 /edge/fullchain.pem /edge/edge.key

# what the house trusts: the world's authorities, and its own
cat /etc/ssl/certs/ca-certificates.crt root.crt > /trust/bundle.pem
chmod 0444 /trust/bundle.pem
