"""A certificate authority for tests: its own key, and PEM files that it signed."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sync.mqtt import TlsFiles

DAY = timedelta(days=1)


class Authority:
    """Signs for clients and for servers; localhost is 127.0.0.1 too."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(name, self._key, days=(-1, 9), ca=True)
        self.file = folder / f"{name}.crt"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def sign(
        self, name: str, *, days: tuple[int, int] = (-1, 9), password: bytes | None = None, host: str = "localhost"
    ) -> TlsFiles:
        """Certificate and key for that common name and host, valid between these days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(name, key, days=days, ca=False, host=host)
        files = TlsFiles(
            ca=self.file,
            certificate=self._folder / f"{self._name}-{name}.crt",
            key=self._folder / f"{self._name}-{name}.key",
        )
        assert files.certificate is not None
        assert files.key is not None
        files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        hidden = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
        pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        files.key.write_bytes(key.private_bytes(pem, form, hidden))
        return files

    def _build(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, days: tuple[int, int], ca: bool, host: str = "localhost"
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        names: list[x509.GeneralName] = [x509.DNSName(host)]
        if host == "localhost":
            names.append(x509.IPAddress(ip_address("127.0.0.1")))
        return (
            x509.CertificateBuilder()
            .subject_name(_called(name))
            .issuer_name(_called(self._name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _called(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
