"""A certificate to sign with, made for a test by an authority of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from foley.deliver.signing import Signature

_USE = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    "extendedKeyUsage=critical,emailProtection\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid,issuer\n"
)
"""What the specification of content credentials asks of a signer's certificate."""


def signer(folder: Path) -> Signature:
    """Make a key and a certificate that a test's own authority has signed; needs openssl."""

    def openssl(*args: str) -> None:
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    authority = ("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("genpkey", *curve, "-out", "ca.key")
    openssl("req", "-x509", "-new", "-key", "ca.key", "-days", "2", "-subj", "/CN=Test CA/O=Test", *authority,
            "-out", "ca.pem")  # fmt: skip
    openssl("genpkey", *curve, "-out", "key.pem")
    openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=Test Signer/O=Test", "-out", "signer.csr")
    (folder / "use").write_text(_USE)
    by = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "use")
    openssl("x509", "-req", "-in", "signer.csr", *by, "-out", "signer.pem")
    chain = folder / "chain.pem"
    chain.write_text((folder / "signer.pem").read_text() + (folder / "ca.pem").read_text())
    return Signature(chain, folder / "key.pem")
