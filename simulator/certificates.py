"""The simulator's own trust: a TLS authority with one leaf, and the Noise certificate chain with its root.

Sources: docs/whatsapp.md §14 (names on the leaf), §15 (the chain). All keys live in the state folder: a client that
trusted them once still does after a restart.
"""

import datetime
import ipaddress
import os
import ssl
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from simulator import xeddsa
from simulator.curve import KeyPair
from simulator.protobufs import cert

NAMES = ("web.whatsapp.com", "*.whatsapp.com", "mmg.whatsapp.net", "*.whatsapp.net", "localhost")
DAY_S = 86_400
VALID_DAYS = 365
RENEW_DAYS = 30
INTERMEDIATE_SERIAL, LEAF_SERIAL = 1, 2


@dataclass(frozen=True)
class Trust:
    """What the server needs (``tls``, ``static``, ``chain``) and a client must be given (``ca_file``, ``root_key``)."""

    tls: ssl.SSLContext
    ca_file: Path
    root_key: bytes
    static: KeyPair
    chain: bytes


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_tls(folder: Path, now: datetime.datetime) -> None:
    """An EC P-256 authority (path length 0) and a leaf for the service's names; the authority's key is dropped."""
    start, end = now - datetime.timedelta(days=1), now + datetime.timedelta(days=VALID_DAYS)
    ca_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("AutoSendr simulator authority")

    def builder(subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        made = x509.CertificateBuilder().subject_name(subject).issuer_name(ca_name).public_key(key.public_key())
        return made.serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(end)

    ca = (
        builder(ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )

    alternatives = [*map(x509.DNSName, NAMES), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    leaf = (
        builder(_name(NAMES[0]), leaf_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_text = leaf_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write_private(folder / "server.pem", leaf.public_bytes(pem) + ca.public_bytes(pem) + key_text)
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))


def _write_private(file: Path, data: bytes) -> None:
    """Write whole or not at all, readable by the owner only."""
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
    fresh.replace(file)


def _tls_lasts(ca_file: Path, now: datetime.datetime) -> bool:
    """Whether there is a pair of certificates that is valid for another month."""
    if not ca_file.exists():
        return False
    end = x509.load_pem_x509_certificate(ca_file.read_bytes()).not_valid_after_utc
    return end - now > datetime.timedelta(days=RENEW_DAYS)


def _key(file: Path) -> KeyPair:
    if not file.exists():
        _write_private(file, KeyPair.new().private)
    return KeyPair.from_private(file.read_bytes())


def noise_chain(root: KeyPair, intermediate: KeyPair, static: bytes, now: int) -> bytes:
    """The serialized chain that vouches for ``static`` (32 bytes) under ``root``, for a year from ``now`` (Unix s)."""

    def link(serial: int, issuer: int, key: bytes, signer: KeyPair) -> cert.CertChain.NoiseCertificate:
        details = cert.CertChain.NoiseCertificate.Details(
            serial=serial,
            issuerSerial=issuer,
            key=key,
            notBefore=now - DAY_S,
            notAfter=now + VALID_DAYS * DAY_S,
        ).SerializeToString()
        signature = xeddsa.sign(signer.private, details)
        return cert.CertChain.NoiseCertificate(details=details, signature=signature)

    return cert.CertChain(
        leaf=link(LEAF_SERIAL, INTERMEDIATE_SERIAL, static, intermediate),
        intermediate=link(INTERMEDIATE_SERIAL, 0, intermediate.public, root),
    ).SerializeToString()


def open_trust(folder: Path, now_s: float | None = None) -> Trust:
    """The trust kept in ``folder`` (made 0700 if missing); what is missing, or ends soon, is made.

    ``now_s`` is the time in Unix seconds, the clock's if None."""
    now_s = time.time() if now_s is None else now_s
    now = datetime.datetime.fromtimestamp(now_s, datetime.UTC)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not _tls_lasts(folder / "ca.pem", now):
        _write_tls(folder, now)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    root, static = _key(folder / "noise-root.key"), _key(folder / "noise-static.key")
    chain = noise_chain(root, KeyPair.new(), static.public, int(now_s))
    return Trust(context, (folder / "ca.pem").resolve(), root.public, static, chain)
