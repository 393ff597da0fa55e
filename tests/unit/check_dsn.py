#!/usr/bin/env python3
"""Reads a delivery status notification on standard input, and fails unless it has the form of
RFC 3464, RFC 6522 and RFC 6533. Prints its recipients: address, action, status.

usage: check_dsn.py [--id ENVID] [--recipient ADDRESS]... < message

--id: Original-Envelope-Id has to be there and say this. --recipient: it has to be about this
address, and about no other than those given so.
"""
import argparse
import email
import email.policy
import email.utils
import re
import sys

TYPED = re.compile(r"^([A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+);\s*(\S.*)$", re.S)
STATUS = re.compile(r"^[245]\.\d{1,3}\.\d{1,3}$")
ACTIONS = {"failed": "5", "delayed": "4", "delivered": "2", "relayed": "2", "expanded": "2"}
PER_MESSAGE = {"reporting-mta", "original-envelope-id", "dsn-gateway", "received-from-mta",
               "arrival-date"}
PER_RECIPIENT = {"original-recipient", "final-recipient", "action", "status", "remote-mta",
                 "diagnostic-code", "last-attempt-date", "final-log-id", "will-retry-until"}
LINE_MAX = 998


class Wrong(Exception):
    """What is wrong with the message, in a line."""


def need(condition, what):
    if not condition:
        raise Wrong(what)


def fields_of(block, known, where):
    """The fields of a block by lower-case name, unfolded; each once."""
    fields = {}
    for name, value in block.items():
        key = name.lower()
        need(key in known or key.startswith("x-"), f"{where}: unknown field {name}")
        need(key not in fields, f"{where}: {name} twice")
        fields[key] = re.sub(r"\r?\n", "", str(value))
    return fields


def typed(fields, name, where):
    """The type and the value of "type; value"."""
    match = TYPED.match(fields[name])
    need(match, f"{where}: {name} is no \"type; value\": {fields[name]!r}")
    return match.group(1), match.group(2)


def check_dates(fields, where):
    for name in ("arrival-date", "last-attempt-date", "will-retry-until"):
        if name in fields:
            try:
                email.utils.parsedate_to_datetime(fields[name])
            except (TypeError, ValueError):
                raise Wrong(f"{where}: {name} is no date: {fields[name]!r}") from None


def check_message_block(block, envid):
    fields = fields_of(block, PER_MESSAGE, "per-message fields")
    need("reporting-mta" in fields, "no Reporting-MTA")
    typed(fields, "reporting-mta", "per-message fields")
    check_dates(fields, "per-message fields")
    if envid is not None:
        need(fields.get("original-envelope-id") == envid,
             f"Original-Envelope-Id is {fields.get('original-envelope-id')!r}")


def check_recipient_block(block, number, utf8):
    """Returns the recipient's address, action and status."""
    where = f"recipient {number}"
    fields = fields_of(block, PER_RECIPIENT, where)
    for name in ("final-recipient", "action", "status"):
        need(name in fields, f"{where}: no {name}")
    kind, address = typed(fields, "final-recipient", where)
    need(kind.lower() in ("rfc822", "utf-8"), f"{where}: Final-Recipient of type {kind}")
    need(address.isascii() or kind.lower() == "utf-8", f"{where}: {kind} address is not ASCII")
    action, status = fields["action"].lower(), fields["status"]
    need(action in ACTIONS, f"{where}: Action: {action}")
    need(STATUS.match(status), f"{where}: Status: {status}")
    need(status[0] == ACTIONS[action], f"{where}: {action} with status {status}")
    for name in ("original-recipient", "remote-mta", "diagnostic-code"):
        if name in fields:
            typed(fields, name, where)
    if fields.get("diagnostic-code", "").startswith("smtp;"):
        need(re.match(r"smtp;\s*[245]\d\d[ -]", fields["diagnostic-code"]),
             f"{where}: no SMTP reply: {fields['diagnostic-code']!r}")
    need(utf8 or all(value.isascii() for value in fields.values()),
         f"{where}: not ASCII in message/delivery-status")
    check_dates(fields, where)
    return address, action, status


def status_blocks(content):
    """The blocks of fields; the parser knows only one of the two types of the part."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        raise Wrong("part 2 is no UTF-8") from None
    blocks = re.split(r"\n{2,}", text.strip("\n"))
    return [email.message_from_string(block + "\n\n", policy=email.policy.compat32)
            for block in blocks]


def check_status_part(part, content, envid):
    kind = part.get_content_type()
    need(kind in ("message/delivery-status", "message/global-delivery-status"),
         f"part 2 is {kind}")
    utf8 = kind == "message/global-delivery-status"
    need(utf8 or content.isascii(), "8-bit bytes in message/delivery-status")
    blocks = status_blocks(content)
    need(len(blocks) >= 2, "no recipients")
    check_message_block(blocks[0], envid)
    return [check_recipient_block(block, n + 1, utf8) for n, block in enumerate(blocks[1:])]


def check_returned_part(part, content):
    kind = part.get_content_type()
    need(kind in ("text/rfc822-headers", "message/rfc822", "message/global-headers",
                  "message/global"), f"part 3 is {kind}")
    need(not kind.endswith("headers") or b"\n\n" not in content.strip(b"\n"),
         f"an empty line in {kind}")


def check_encodings(message, parts, contents):
    """8bit is said wherever there are such bytes, as far out as the message itself."""
    for part, content in zip([message] + parts, [b"".join(contents)] + contents):
        encoding = part.get("content-transfer-encoding", "7bit").lower()
        need(content.isascii() or encoding == "8bit",
             f"8-bit bytes in {part.get_content_type()} with encoding {encoding}")


def contents_of(data, message):
    """The bytes of each part, without its header."""
    delimiter = b"\n--" + message.get_boundary().encode()
    pieces = data.split(delimiter)
    need(len(pieces) == 5 and pieces[4].startswith(b"--\n"), "the boundary occurs elsewhere, too")
    return [piece.partition(b"\n\n")[2] for piece in pieces[1:4]]


def check_header(message):
    need(message.get_content_type() == "multipart/report",
         f"the message is {message.get_content_type()}")
    need(message.get_param("report-type") == "delivery-status",
         f"report-type is {message.get_param('report-type')!r}")
    for name in ("From", "To", "Subject", "MIME-Version"):
        need(message[name], f"no {name}")
    need((message["Auto-Submitted"] or "").startswith("auto-"), "no Auto-Submitted")
    need(not message.defects, f"defects: {message.defects}")


def check(data, envid, wanted):
    """Returns the recipients, with actions and status."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    check_header(message)
    parts = list(message.iter_parts())
    need(len(parts) == 3, f"{len(parts)} parts")
    need(parts[0].get_content_type() == "text/plain", f"part 1 is {parts[0].get_content_type()}")
    need(parts[0].get_content().strip(), "part 1 is empty")
    contents = contents_of(data, message)
    check_encodings(message, parts, contents)
    recipients = check_status_part(parts[1], contents[1], envid)
    check_returned_part(parts[2], contents[2])
    ours = data.replace(contents[2], b"", 1) if contents[2] else data
    need(all(len(line) <= LINE_MAX for line in ours.split(b"\n")), "a line is too long")
    if wanted:
        found = sorted(address for address, _, _ in recipients)
        need(found == sorted(wanted), f"the recipients are {found}")
    return recipients


def main():
    parser = argparse.ArgumentParser(description="Checks a delivery status notification.")
    parser.add_argument("--id", help="the Original-Envelope-Id that it has to have")
    parser.add_argument("--recipient", action="append", default=[],
                        help="an address that it has to be about, and about no others")
    options = parser.parse_args()
    try:
        data = sys.stdin.buffer.read().replace(b"\r\n", b"\n")
        for address, action, status in check(data, options.id, options.recipient):
            sys.stdout.buffer.write(f"{address} {action} {status}\n".encode())
    except Wrong as wrong:
        print(f"check_dsn.py: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
