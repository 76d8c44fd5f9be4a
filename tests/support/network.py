# Copyright: Contributors to the originops.cloudflare project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""TLS by a private authority, and a proxy, on the loopback interface."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import socket
import ssl
from contextlib import suppress
from pathlib import Path
from select import select
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emulator.server import HOST

DAY = datetime.timedelta(days=1)

# Python 3.13 and later require this, and the identifiers of keys below.
SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """Certificate authority that no machine trusts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("an authority of originops.cloudflare")
        certificate = (
            self._unsigned(self._name, self._key.public_key(), DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(SIGNS_CERTIFICATES, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.path = folder / "authority.pem"
        self.path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        self.context = self.serving(HOST)

    def serving(self, *hosts: str, valid_for: datetime.timedelta = DAY) -> ssl.SSLContext:
        """Return a TLS context with a certificate for the addresses and names."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([_general_name(host) for host in hosts])
        certificate = (
            self._unsigned(_name("a service"), key.public_key(), valid_for)
            .add_extension(names, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        path = self._folder / "service.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def as_folder(self) -> Path:
        """Write the certificate to a directory, under its name for OpenSSL."""
        folder = self._folder / "authorities"
        folder.mkdir()
        # OpenSSL hashes a name without the two bytes before its only part; this text needs no normalization.
        digest = hashlib.sha1(self._name.public_bytes()[2:], usedforsecurity=False).digest()
        folder.joinpath(f"{int.from_bytes(digest[:4], 'little'):08x}.0").write_bytes(self.path.read_bytes())
        return folder

    def _unsigned(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, valid_for: datetime.timedelta
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.timezone.utc)
        return (
            x509.CertificateBuilder(self._name, subject, key, x509.random_serial_number())
            .not_valid_before(now - 2 * DAY)
            .not_valid_after(now + valid_for)
        )


class _Relay(ThreadingTCPServer):
    """Server on the loopback interface, inside a `with` block."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[StreamRequestHandler]) -> None:
        super().__init__((HOST, 0), handler)
        self.port: int = self.server_address[1]
        self._thread = Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def server_close(self) -> None:
        self.shutdown()
        self._thread.join()
        super().server_close()

    def handle_error(self, *_args: object) -> None:
        """Print nothing: in many tests clients close connections early."""


class TlsFront(_Relay):
    """TLS in front of a service without it."""

    def __init__(self, tls: ssl.SSLContext, port: int) -> None:
        super().__init__(_Front)
        self.tls = tls
        self.service = port


class _Front(StreamRequestHandler):
    server: TlsFront

    def handle(self) -> None:
        with (
            self.server.tls.wrap_socket(self.request, server_side=True) as client,
            socket.create_connection((HOST, self.server.service)) as service,
        ):
            _relay(client, service, bytearray())


class Proxy(_Relay):
    """HTTP proxy that records everything that clients send."""

    def __init__(self, refusal: bytes = b"", service: int | None = None) -> None:
        """Refuse each request, or forward it.

        The target is the port `service` of this machine, if there is one.
        """
        super().__init__(_Tunnel)
        self.refusal = refusal
        self.service = service
        self.received = bytearray()


class _Tunnel(StreamRequestHandler):
    server: Proxy
    # Unbuffered: no data after the head may be read ahead.
    rbufsize = 0

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        self.server.received += head
        if self.server.refusal:
            self.wfile.write(self.server.refusal)
            return
        host, port = head.split()[1].decode().rsplit(":", 1)
        target = (HOST, self.server.service) if self.server.service else (host, int(port))
        with socket.create_connection(target) as service:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(self.request, service, self.server.received)


def _relay(client: socket.socket, service: socket.socket, received: bytearray) -> None:
    """Relay data in both directions until one side ends."""
    with suppress(OSError):
        while True:
            for source in select([client, service], [], [])[0]:
                # More than a TLS record, since select does not report the buffered rest of one.
                data = source.recv(64 * 1024)
                if not data:
                    return
                if source is client:
                    received += data
                (service if source is client else client).sendall(data)


def _general_name(host: str) -> x509.GeneralName:
    """Return an address or a name for a certificate."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])
