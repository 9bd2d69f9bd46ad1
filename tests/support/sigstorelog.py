"""Make Sigstore bundles as a certificate authority and a log of our own: run by sigstore's Python.

    python sigstorelog.py ORDERS.json FOLDER

``ORDERS.json`` is a list of bundles to make: each has a ``name``, the signer's ``identity`` and
``issuer``, and the ``sha256`` of the file or a ``statement`` to sign instead of it; it may have
``ended`` (seconds between the certificate's end and the signature) and ``root``, the name of
another authority. In ``FOLDER`` are then ``NAME.json``, and ``ROOT.trusted_root.json`` of each.
"""
# mypy: ignore-errors

from __future__ import annotations

import base64
import hashlib
import json
import struct
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

BEGIN = datetime(2025, 6, 1, tzinfo=UTC)
NOW = datetime(2025, 12, 1, tzinfo=UTC)
_ISSUER, _ISSUER_2 = (ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{n}") for n in (1, 8))
_SCTS = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_IN_TOTO = "application/vnd.in-toto+json"


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class Authority:
    """Certificates, their log, and the log of signatures, all by one key."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = self.key.public_key()
        self.der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        self.id = hashlib.sha256(self.der).digest()
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's authority")])
        builder = self._builder(public, BEGIN, BEGIN + timedelta(days=3650)).subject_name(self.name)
        for extension, critical in (
            (x509.BasicConstraints(ca=True, path_length=None), True),
            (_usage(key_cert_sign=True, crl_sign=True), True),
        ):
            builder = builder.add_extension(extension, critical)
        self.root = builder.sign(self.key, hashes.SHA256())

    def sign(self, data: bytes) -> bytes:
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))

    def _builder(self, public, begin: datetime, end: datetime) -> x509.CertificateBuilder:
        ours = self.key.public_key()
        return (
            x509.CertificateBuilder()
            .issuer_name(self.name)
            .serial_number(4)
            .not_valid_before(begin)
            .not_valid_after(end)
            .public_key(public)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ours), False)
        )

    def certificate(self, public, identity: str, issuer: str, end: datetime) -> x509.Certificate:
        name = (
            x509.RFC822Name(identity)
            if "@" in identity.split("/")[0]
            else x509.UniformResourceIdentifier(identity)
        )
        builder = self._builder(public, end - timedelta(minutes=10), end)
        builder = builder.subject_name(x509.Name([]))
        for extension, critical in (
            (_usage(digital_signature=True), True),
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False),
            (x509.SubjectAlternativeName([name]), True),
            (x509.UnrecognizedExtension(_ISSUER, issuer.encode()), False),
            (
                x509.UnrecognizedExtension(
                    _ISSUER_2, b"\x0c" + bytes([len(issuer)]) + issuer.encode()
                ),
                False,
            ),
        ):
            builder = builder.add_extension(extension, critical)
        body = builder.sign(self.key, hashes.SHA256()).tbs_certificate_bytes
        scts = x509.UnrecognizedExtension(_SCTS, self._scts(body))
        return builder.add_extension(scts, False).sign(self.key, hashes.SHA256())

    def _scts(self, body: bytes) -> bytes:
        """Return the promise of the certificates' log (RFC 6962, 3.2), as an octet string."""
        at = struct.pack("!Q", int(NOW.timestamp() * 1000))
        entry = self.id + struct.pack("!I", len(body))[1:] + body
        signed = self.sign(b"\0\0" + at + b"\0\1" + entry + b"\0\0")
        sct = b"\0" + self.id + at + b"\0\0" + b"\4\3" + struct.pack("!H", len(signed)) + signed
        found = struct.pack("!H", len(sct)) + sct
        found = struct.pack("!H", len(found)) + found
        return (
            b"\x04"
            + (bytes([len(found)]) if len(found) < 128 else b"\x81" + bytes([len(found)]))
            + found
        )

    def entry(self, kind: str, spec: dict) -> dict:
        """Return an entry of a log that has no other."""
        body = json.dumps(
            {"apiVersion": "0.0.1", "kind": kind, "spec": spec}, sort_keys=True
        ).encode()
        root, at = hashlib.sha256(b"\0" + body).digest(), int(NOW.timestamp())
        note = f"log.test - 1\n1\n{b64(root)}\n"
        promised = {"body": b64(body), "integratedTime": at, "logID": self.id.hex(), "logIndex": 7}
        text = json.dumps(promised, sort_keys=True, separators=(",", ":")).encode()
        mark = b64(self.id[:4] + self.sign(note.encode()))
        return {
            "logIndex": "7",
            "logId": {"keyId": b64(self.id)},
            "kindVersion": {"kind": kind, "version": "0.0.1"},
            "integratedTime": str(at),
            "inclusionPromise": {"signedEntryTimestamp": b64(self.sign(text))},
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\u2014 log.test {mark}\n"},
            },
            "canonicalizedBody": b64(body),
        }

    def trusted(self) -> dict:
        log = {
            "baseUrl": "https://log.test",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": b64(self.der),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": f"{BEGIN:%Y-%m-%dT%H:%M:%S}.000Z"},
            },
            "logId": {"keyId": b64(self.id)},
        }
        authority = {
            "subject": {"organization": "test", "commonName": "test"},
            "uri": "https://ca.test",
            "certChain": {
                "certificates": [{"rawBytes": b64(self.root.public_bytes(Encoding.DER))}]
            },
            "validFor": {"start": f"{BEGIN:%Y-%m-%dT%H:%M:%S}.000Z"},
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log],
            "certificateAuthorities": [authority],
            "ctlogs": [log],
            "timestampAuthorities": [],
        }


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**(dict.fromkeys(names, False) | given))


def bundle(by: Authority, order: dict) -> dict:
    """Return a bundle over a file, or over a statement."""
    key = ec.generate_private_key(ec.SECP256R1())
    end = NOW + timedelta(seconds=300 - order.get("ended", 0))
    cert = by.certificate(key.public_key(), order["identity"], order["issuer"], end)
    pem = b64(cert.public_bytes(Encoding.PEM))
    material = {"certificate": {"rawBytes": b64(cert.public_bytes(Encoding.DER))}}
    found = {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": material,
    }
    if "statement" in order:
        payload = json.dumps(order["statement"]).encode()
        signed = key.sign(
            f"DSSEv1 {len(_IN_TOTO)} {_IN_TOTO} {len(payload)} ".encode() + payload,
            ec.ECDSA(hashes.SHA256()),
        )
        found["dsseEnvelope"] = {
            "payload": b64(payload),
            "payloadType": _IN_TOTO,
            "signatures": [{"sig": b64(signed)}],
        }
        digests = {
            name: {"algorithm": "sha256", "value": hashlib.sha256(payload).hexdigest()}
            for name in ("envelopeHash", "payloadHash")
        }
        spec = {**digests, "signatures": [{"signature": b64(signed), "verifier": pem}]}
        material["tlogEntries"] = [by.entry("dsse", spec)]
        return found
    digest = bytes.fromhex(order["sha256"])
    signed = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    found["messageSignature"] = {
        "messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)},
        "signature": b64(signed),
    }
    spec = {
        "data": {"hash": {"algorithm": "sha256", "value": order["sha256"]}},
        "signature": {"content": b64(signed), "publicKey": {"content": pem}},
    }
    material["tlogEntries"] = [by.entry("hashedrekord", spec)]
    return found


def main(orders: Path, folder: Path) -> None:
    authorities: dict[str, Authority] = {}
    for order in json.loads(orders.read_text()):
        name = order.get("root", "ours")
        by = authorities.setdefault(name, Authority())
        (folder / f"{order['name']}.json").write_text(json.dumps(bundle(by, order)))
        (folder / f"{name}.trusted_root.json").write_text(json.dumps(by.trusted()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
