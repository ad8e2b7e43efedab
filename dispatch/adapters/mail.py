"""E-mail by SMTP."""

import re
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from dispatch.adapters.channel import ACCEPTED, HTTP_TIMEOUT_S, Clock, Message, Sent, gone, refused, retry
from dispatch.domain.tracing import TRACE, span

_ADDRESS = re.compile(r"[^@\s,;<>\"]{1,64}@[^@\s,;<>\"]{1,190}")
#: 550, 551, 553: the mailbox is unknown or not to be used.
_GONE = frozenset({550, 551, 553})


class MailChannel:
    """`url` is smtp://user:password@host:port, or smtps://; a server that offers STARTTLS gets it before a
    password is said."""

    def __init__(self, url: str, sender: str, clock: Clock) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or not _ADDRESS.fullmatch(sender):
            raise ValueError("mail: an smtp:// or smtps:// address and a sender are needed")
        self._parts = parts
        self._sender = sender
        self._clock = clock

    def send(self, message: Message) -> Sent:
        if message.expires_at <= self._clock():
            return refused("message_expired")
        if not _ADDRESS.fullmatch(message.target):
            return refused("mail_address_malformed")
        try:
            with span("SMTP", "client"), self._connected() as server:
                server.send_message(self._letter(message))
        except smtplib.SMTPRecipientsRefused as error:
            (code, _) = next(iter(error.recipients.values()))
            return gone(f"mail_{code}") if code in _GONE else _by_code(code)
        except smtplib.SMTPResponseException as error:
            return _by_code(error.smtp_code)
        except (OSError, smtplib.SMTPException):
            return retry("mail_unreachable")
        return ACCEPTED

    def _connected(self) -> smtplib.SMTP:
        host, port = str(self._parts.hostname), self._parts.port
        secure = ssl.create_default_context()
        if self._parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=HTTP_TIMEOUT_S, context=secure)
        else:
            server = smtplib.SMTP(host, port or 587, timeout=HTTP_TIMEOUT_S)
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=secure)
        if self._parts.username:
            server.login(unquote(self._parts.username), unquote(self._parts.password or ""))
        return server

    def _letter(self, message: Message) -> EmailMessage:
        letter = EmailMessage()
        letter["From"] = self._sender
        letter["To"] = message.target
        letter["Subject"] = " ".join(message.title.split())
        letter["Date"] = format_datetime(self._clock())
        letter["Message-ID"] = f"<{message.key}@{self._sender.rsplit('@', 1)[1]}>"
        if trace := TRACE.get():
            letter["X-Trace-Id"] = trace
        letter["Auto-Submitted"] = "auto-generated"
        letter.set_content(f"{message.text}\n\n{message.url}" if message.url else message.text)
        return letter


def _by_code(code: int) -> Sent:
    """4xx is passing, 5xx is not."""
    return retry(f"mail_{code}") if 400 <= code < 500 else refused(f"mail_{code}")
