"""Issue the store's certificate once: an authority for the clients, and under it a certificate with the dates that we are given."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTS, TRUST = Path("/certs"), Path("/trust")
NAMES = os.environ["CERTIFICATE_NAMES"].split(",")
OWNER = int(os.environ["KEY_OWNER"])
START = datetime.fromisoformat(os.environ["VALID_FROM"]).replace(tzinfo=UTC)
END = datetime.fromisoformat(os.environ["VALID_UNTIL"]).replace(tzinfo=UTC)


def named(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Fjord Cable"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def write(path: Path, content: bytes, mode: int) -> None:
    path.write_bytes(content)
    path.chmod(mode)


if (CERTS / "public.crt").exists():
    print("there is a certificate already")
    raise SystemExit

authority_key = ec.generate_private_key(ec.SECP256R1())
authority = (
    x509.CertificateBuilder()
    .subject_name(named("Fjord Cable authority"))
    .issuer_name(named("Fjord Cable authority"))
    .public_key(authority_key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(START)
    .not_valid_after(START + timedelta(days=3650))
    .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    .add_extension(
        x509.KeyUsage(
            digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
            key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
        ),
        critical=True,
    )
    .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
    .sign(authority_key, hashes.SHA256())
)
key = ec.generate_private_key(ec.SECP256R1())
certificate = (
    x509.CertificateBuilder()
    .subject_name(named(NAMES[0]))
    .issuer_name(authority.subject)
    .public_key(key.public_key())
    .serial_number(x509.random_serial_number())
    .not_valid_before(START)
    .not_valid_after(END)
    .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in NAMES]), critical=False)
    .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
    .sign(authority_key, hashes.SHA256())
)
pem = serialization.Encoding.PEM
(CERTS / "CAs").mkdir(mode=0o755, exist_ok=True)
write(CERTS / "CAs" / "authority.crt", authority.public_bytes(pem), 0o444)
write(TRUST / "authority.crt", authority.public_bytes(pem), 0o444)
private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
write(CERTS / "private.key", private, 0o400)
shutil.chown(CERTS / "private.key", user=OWNER)
write(CERTS / "public.crt", certificate.public_bytes(pem), 0o444)
print(f"issued for {', '.join(NAMES)}, valid until {END:%Y-%m-%d}")
