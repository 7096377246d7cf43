"""Mail out by SMTP: one connection a mail, in a thread, encrypted wherever it leaves this machine."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Final
from urllib.parse import unquote, urlsplit

import msgspec

from domain.refusal import RefusalCode, Refused, Unavailable

ANSWER_S: Final = 10.0
"""How long the server may take for each answer."""
SEND_S: Final = 20.0
"""How long all of it may take; the person is told then that it did not work."""
AT_ONCE_MAX: Final = 4
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
PORTS: Final = {"smtp": 587, "smtps": 465}


class SmtpServer(msgspec.Struct, frozen=True, kw_only=True):
    """Where mails are handed over. `tls`: from the first byte; else by STARTTLS. `user` "": without signing in."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""


def read_server(url: str) -> SmtpServer:
    """The server of smtp://[user:password@]host[:port], or smtps:. Raises ValueError, which never quotes the URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("a URL that cannot be read") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise ValueError("not like smtps://user:password@mail.example:465")
    return SmtpServer(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        tls=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


class SmtpMailer:
    """Hands mails to one server. It keeps nothing, and says nothing of addresses and texts to anybody."""

    def __init__(self, server: SmtpServer, sender: str, trust: ssl.SSLContext | None = None) -> None:
        """`sender`: the address in From. `trust`: whose certificates count; the system's authorities by default."""
        self._server = server
        self._sender = sender
        self._trust = trust or ssl.create_default_context()
        self._room = asyncio.Semaphore(AT_ONCE_MAX)

    async def send(self, to: str, subject: str, text: str) -> None:
        """Hands a mail over. Raises Refused(EMAIL_REFUSED) if the server takes none for `to`, Unavailable else."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, to, subject
        mail["Date"] = formatdate(usegmt=True)
        mail["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text)
        try:
            async with asyncio.timeout(SEND_S), self._room:
                await asyncio.to_thread(self._hand_over, mail)
        except smtplib.SMTPRecipientsRefused as refused:
            codes = [code for code, _ in refused.recipients.values()]
            if all(500 <= code < 600 for code in codes):
                raise Refused(RefusalCode.EMAIL_REFUSED, "email") from None
            raise Unavailable("the mail server takes no mail just now") from None
        except (OSError, smtplib.SMTPException):  # their words may hold the address: they end here
            raise Unavailable("the mail server cannot be reached, or refuses us") from None

    def _hand_over(self, mail: EmailMessage) -> None:
        with self._connect() as line:
            if self._server.user:
                line.login(self._server.user, self._server.password)
            line.send_message(mail)

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.tls:
            return smtplib.SMTP_SSL(server.host, server.port, timeout=ANSWER_S, context=self._trust)
        line = smtplib.SMTP(server.host, server.port, timeout=ANSWER_S)
        try:
            line.ehlo_or_helo_if_needed()
            if line.has_extn("starttls"):
                line.starttls(context=self._trust)
                line.ehlo()
            elif server.host not in LOOPBACK:
                raise smtplib.SMTPNotSupportedError("no encryption on the way out of this machine")
        except BaseException:
            line.close()
            raise
        return line
