"""The process behind `counting_smtp`: accepts mail as fast as it can and writes down what it accepted.

It stands alone (nothing from the project is imported), so that it starts in a moment and shares no fault
with what it measures. One line per recipient goes to the log before the answer goes to the client:
time, outcome, sender, recipient, Message-ID, separated by tabs.
"""

import argparse
import asyncio
import base64
import os
import random
import re
import signal
import socket
import time
from pathlib import Path
from typing import cast

import uvloop

_MESSAGE_ID = re.compile(rb"^message-id:\s*(<[^>\r\n]*>)", re.IGNORECASE | re.MULTILINE)
_PATH = re.compile(rb":\s*<([^>]*)>")
_END = b"\r\n.\r\n"
_HANGS = ("never", "connect", "mail", "dot")
_MAX_LINE = 4096


class Ledger:
    """The append-only list of mails, and what the whole server remembers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.chance = random.Random(options.seed)
        self.accepted = 0
        self._log = os.open(options.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, outcome: bytes, sender: bytes, recipients: list[bytes], body: bytes) -> None:
        """Adds the mail; returns when the lines have left this process, so that a kill cannot lose them."""
        head = body[: body.find(b"\r\n\r\n") + 2]
        found = _MESSAGE_ID.search(head)
        message_id = found.group(1) if found else b"-"
        now = b"%.6f" % time.time()
        rows = (b"\t".join((now, outcome, sender, recipient, message_id)) for recipient in recipients)
        os.write(self._log, b"\n".join(rows) + b"\n")
        if outcome != b"dropped":
            self.accepted += 1
            if self.options.keep:
                Path(self.options.keep, f"{self.accepted:06}.eml").write_bytes(body)

    def delay(self) -> float:
        """How long the next mail takes between its final dot and the answer, in seconds."""
        low, high = self.options.latency_ms
        return self.chance.uniform(low, high) / 1000 if high else 0.0


class Connection(asyncio.Protocol):
    """One client. Commands that come while an answer is still due wait in the buffer (RFC 2920)."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._options = ledger.options
        self._buffer = bytearray()
        self._scanned = 0
        self._in_data = False
        self._waiting: asyncio.TimerHandle | None = None
        self._signed_in = not self._options.user
        self._login: list[bytes] | None = None
        self._sender: bytes | None = None
        self._recipients: list[bytes] = []
        self._mails = 0
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._answer_later(self._hang("connect"), b"220 counting.test ESMTP")

    def connection_lost(self, error: Exception | None) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            if self._body:
                # The client left after its final dot and before the answer: a real server may go either way.
                self._record(b"orphan" if self._orphan_is_accepted() else b"dropped")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._work()

    def _work(self) -> None:
        while self._waiting is None and self._buffer and not self._transport.is_closing():
            if not (self._take_body() if self._in_data else self._take_line()):
                return

    def _take_body(self) -> bool:
        # An empty message is a lone dot, without the line break before it.
        end = 0 if self._buffer.startswith(_END[2:]) else self._buffer.find(_END, max(0, self._scanned - 4))
        if end < 0:
            self._scanned = len(self._buffer)
            return False
        size = end + (3 if self._buffer.startswith(_END[2:]) else len(_END))
        self._body = bytes(self._buffer[: end + 2])
        del self._buffer[:size]
        self._in_data = False
        wait = self._ledger.delay() + self._hang("dot")
        if wait:
            self._waiting = asyncio.get_running_loop().call_later(wait, self._accept)
        else:
            self._accept()
        return True

    def _accept(self) -> None:
        self._waiting = None
        self._record(b"accepted")
        self._mails += 1
        self._sender, self._recipients = None, []
        self._say(b"250 2.0.0 Ok: counted")
        self._work()

    def _record(self, outcome: bytes) -> None:
        self._ledger.write(outcome, self._sender or b"", self._recipients, self._body)
        self._body = b""

    def _orphan_is_accepted(self) -> bool:
        orphans = self._options.orphans
        return orphans == "accept" or (orphans == "random" and self._ledger.chance.random() < 0.5)

    def _take_line(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > _MAX_LINE:
                self._transport.close()
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if self._login is not None:
            self._take_login(line)
            return True
        verb = line[:4].upper()
        command = {
            b"MAIL": self._mail,
            b"RCPT": self._rcpt,
            b"DATA": self._data,
            b"EHLO": self._ehlo,
            b"HELO": self._ehlo,
            b"AUTH": self._auth,
            b"RSET": self._reset,
            b"QUIT": self._quit,
        }.get(verb)
        if command is not None:
            command(line)
        else:
            self._say(b"250 2.0.0 Ok" if verb == b"NOOP" else b"502 5.5.2 Command not recognised")
        return True

    def _ehlo(self, line: bytes) -> None:
        offers = [b"counting.test", b"PIPELINING", b"8BITMIME", b"SMTPUTF8", b"ENHANCEDSTATUSCODES"]
        offers.append(b"SIZE 52428800")
        if self._options.user:
            offers.append(b"AUTH PLAIN LOGIN")
        self._say(b"\r\n".join([b"250-" + offer for offer in offers[:-1]] + [b"250 " + offers[-1]]))

    def _mail(self, line: bytes) -> None:
        if not self._signed_in:
            return self._say(b"530 5.7.0 Authentication required")
        if 0 < self._options.close_after <= self._mails:
            self._say(b"421 4.7.0 Too many messages on this connection, come back")
            return self._transport.close()
        if 0 < self._options.quota <= self._ledger.accepted:
            return self._say(b"550 5.4.5 Daily user sending limit exceeded")
        found = _PATH.search(line)
        self._sender, self._recipients = (found.group(1) if found else b""), []
        return self._answer_later(self._hang("mail"), b"250 2.1.0 Ok")

    def _rcpt(self, line: bytes) -> None:
        found = _PATH.search(line)
        if self._sender is None or found is None:
            return self._say(b"503 5.5.1 Need MAIL first")
        recipient = found.group(1).lower()
        if recipient.decode("utf-8", "replace") in self._options.refuse:
            return self._say(b"550 5.1.1 <%b>: User unknown" % recipient)
        self._recipients.append(recipient)
        return self._say(b"250 2.1.5 Ok")

    def _data(self, line: bytes) -> None:
        if not self._recipients:
            return self._say(b"503 5.5.1 Need RCPT first")
        self._in_data, self._scanned = True, 0
        return self._say(b"354 End data with <CR><LF>.<CR><LF>")

    def _auth(self, line: bytes) -> None:
        mechanism, _, initial = line[5:].partition(b" ")
        self._login = [mechanism.upper()]
        if initial:
            self._take_login(initial)
        else:
            self._say(b"334 VXNlcm5hbWU6" if self._login[0] == b"LOGIN" else b"334 ")

    def _take_login(self, line: bytes) -> None:
        assert self._login is not None
        self._login.append(base64.b64decode(line))
        if self._login[0] == b"LOGIN" and len(self._login) == 2:
            return self._say(b"334 UGFzc3dvcmQ6")
        told = self._login[1:] if self._login[0] == b"LOGIN" else self._login[1].split(b"\0")[-2:]
        self._login = None
        right = [self._options.user.encode(), self._options.password.encode()]
        self._signed_in = told == right
        return self._say(b"235 2.7.0 Ok" if self._signed_in else b"535 5.7.8 Username and password not accepted")

    def _reset(self, line: bytes) -> None:
        self._sender, self._recipients = None, []
        self._say(b"250 2.0.0 Ok")

    def _quit(self, line: bytes) -> None:
        self._say(b"221 2.0.0 Bye")
        self._transport.close()

    def _hang(self, stage: str) -> float:
        return float(self._options.hang_s) if self._options.hang_at == stage else 0.0

    def _answer_later(self, wait: float, answer: bytes) -> None:
        if not wait:
            return self._say(answer)

        def answer_now() -> None:
            self._waiting = None
            self._say(answer)
            self._work()

        self._waiting = asyncio.get_running_loop().call_later(wait, answer_now)
        return None

    def _say(self, answer: bytes) -> None:
        self._transport.write(answer + b"\r\n")


async def _serve(options: argparse.Namespace) -> None:
    ledger = Ledger(options)
    loop = asyncio.get_running_loop()
    listening = socket.socket(fileno=options.socket)
    server = await loop.create_server(lambda: Connection(ledger), sock=listening, backlog=512)
    # Everything that was answered is in the log already; clients that wait are cut off.
    loop.add_signal_handler(signal.SIGTERM, os._exit, 0)
    await server.serve_forever()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True, help="number of the listening socket")
    parser.add_argument("--log", required=True)
    parser.add_argument("--keep", default="", help="folder for the messages themselves")
    parser.add_argument("--latency-ms", type=float, nargs=2, default=(0, 0))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--hang-at", choices=_HANGS, default="never")
    parser.add_argument("--hang-s", type=float, default=0)
    parser.add_argument("--refuse", nargs="*", default=())
    parser.add_argument("--close-after", type=int, default=0, help="mails on one connection, then 421")
    parser.add_argument("--quota", type=int, default=0, help="mails in all, then 550 5.4.5")
    parser.add_argument("--orphans", choices=("accept", "drop", "random"), default="accept")
    return parser.parse_args()


if __name__ == "__main__":
    uvloop.run(_serve(_options()))
