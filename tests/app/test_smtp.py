"""Mail by SMTP, to a server on this machine that speaks just enough of it."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app import smtp
from app.settings import BadSettings, read_settings
from app.smtp import SmtpMailer, SmtpServer, read_server
from domain.refusal import RefusalCode, Refused, Unavailable
from tests.app.conftest import Browser, Web

SENDER = "codes@autosendr.example"


@dataclass
class Server:
    """`offers_tls`, `refuses` (its answer to a recipient): what it does. The rest: what it got."""

    trust: ssl.SSLContext
    certificate: ssl.SSLContext
    offers_tls: bool = True
    refuses: str = ""
    mails: list[Message] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)
    encrypted: bool = False
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        say("220 mail.example")
        while line := (await reader.readline()).decode().strip():
            match line.split(" ")[0].upper():
                case "EHLO":
                    say("250-mail.example")
                    if self.offers_tls and not self.encrypted:
                        say("250-STARTTLS")
                    say("250 AUTH PLAIN")
                case "STARTTLS":
                    say("220 go on")
                    await writer.drain()
                    await writer.start_tls(self.certificate)
                    self.encrypted = True
                case "AUTH":
                    self.signed_in.append(base64.b64decode(line.split(" ")[2]).decode())
                    say("235 welcome")
                case "RCPT":
                    say(self.refuses or "250 fine")
                case "DATA":
                    say("354 go on")
                    text = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
                    self.mails.append(message_from_bytes(text))
                    say("250 taken")
                case "QUIT":
                    say("221 bye")
                    break
                case _:
                    say("250 fine")
        writer.close()


def _certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(path)
    return served, ssl.create_default_context(cafile=path)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    """Run a mail server."""
    served, trust = _certificate(tmp_path)
    server = Server(trust=trust, certificate=served)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield server


def _mailer(server: Server, **fields: str) -> SmtpMailer:
    address = SmtpServer(host="127.0.0.1", port=server.port, tls=False, **fields)
    return SmtpMailer(address, SENDER, server.trust)


async def test_a_mail_is_handed_over_encrypted_when_that_is_offered(server: Server) -> None:
    await _mailer(server, user="we", password="s3").send(
        "ana@example.org", "123456 is your code", "It is 123456.\n\nÁ."
    )
    (mail,) = server.mails
    assert (mail["To"], mail["From"], mail["Subject"]) == ("ana@example.org", SENDER, "123456 is your code")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"].endswith("@autosendr.example>")
    payload = mail.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n").strip() == "It is 123456.\n\nÁ."
    assert server.encrypted
    assert server.signed_in == ["\0we\0s3"]


async def test_a_certificate_that_nobody_vouches_for_gets_no_mail(server: Server) -> None:
    stranger = SmtpMailer(SmtpServer(host="127.0.0.1", port=server.port, tls=False), SENDER)
    with pytest.raises(Unavailable):
        await stranger.send("ana@example.org", "s", "t")
    assert server.mails == []


async def test_nothing_leaves_this_machine_unencrypted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.offers_tls = False
    await _mailer(server).send("ana@example.org", "s", "t")
    assert len(server.mails) == 1
    monkeypatch.setattr(smtp, "LOOPBACK", frozenset())  # as if it were another machine
    with pytest.raises(Unavailable):
        await _mailer(server, user="we", password="s3").send("ana@example.org", "s", "t")
    assert len(server.mails) == 1
    assert server.signed_in == []


@pytest.mark.parametrize(("answer", "refused"), [("550 nobody here", True), ("451 later", False)])
async def test_what_the_server_says_of_an_address_is_told_without_it(
    server: Server, answer: str, refused: bool
) -> None:
    server.refuses = answer
    with pytest.raises((Refused, Unavailable)) as caught:
        await _mailer(server).send("ana@example.org", "s", "t")
    assert isinstance(caught.value, Refused) is refused
    assert "ana@" not in str(caught.value)
    assert caught.value.__cause__ is None
    if isinstance(caught.value, Refused):
        assert caught.value.code is RefusalCode.EMAIL_REFUSED


async def test_a_server_that_does_not_answer_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr(smtp, "ANSWER_S", 0.2)
    listening = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with listening:
        server.port = listening.sockets[0].getsockname()[1]
        with pytest.raises(Unavailable):
            await _mailer(server).send("ana@example.org", "s", "t")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer(host="mail.example", port=587, tls=False)),
        (
            "smtps://a%40b:p%2Fw@mail.example",
            SmtpServer(host="mail.example", port=465, tls=True, user="a@b", password="p/w"),
        ),
        ("smtp://mail.example:25/", SmtpServer(host="mail.example", port=25, tls=False)),
    ],
)
def test_a_mail_servers_address_is_read(url: str, server: SmtpServer) -> None:
    assert read_server(url) == server


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "smtp://u:s3cret@mail.example:99999", "s3cret"])
def test_a_wrong_address_is_refused_at_the_start_without_quoting_its_password(
    web_environ: dict[str, str], url: str
) -> None:
    environ = {**web_environ, "AUTOSENDR_SMTP_URL": url, "AUTOSENDR_MAIL_FROM": SENDER}
    with pytest.raises(BadSettings, match="AUTOSENDR_SMTP_URL") as refused:
        read_settings(environ)
    assert "s3cret" not in str(refused.value)
    with pytest.raises(BadSettings, match="AUTOSENDR_MAIL_FROM"):
        read_settings({**environ, "AUTOSENDR_SMTP_URL": "smtp://mail.example", "AUTOSENDR_MAIL_FROM": "nobody"})


def test_when_mail_cannot_be_handed_over_the_form_says_so_and_keeps_the_address(
    web_environ: dict[str, str], redis_url: str, tmp_path: Path
) -> None:
    environ = {**web_environ, "AUTOSENDR_SMTP_URL": "smtp://127.0.0.1:9", "AUTOSENDR_MAIL_FROM": SENDER}
    web = Web({**environ, "AUTOSENDR_MAILBOX": str(tmp_path)}, tmp_path)
    try:
        ana = Browser(web)
        assert "/mailbox" not in ana.get("/login").text
        for _ in range(2):  # and may try again at once
            answer = ana.post("/login-codes", {"email": "ana@example.org"})
            assert answer.status_code == 503
            assert "We could not hand the mail over" in answer.text
            assert 'value="ana@example.org"' in answer.text
        assert "ana@example.org" not in web.log()
        assert "mail_not_sent" in web.log()
    finally:
        web.stop()
