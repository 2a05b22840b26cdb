#!/usr/bin/env python3
"""Opens an otpanel vault and prints its content. Written from docs/vault.md alone, as a stranger would.

    decrypt.py VAULT --password-file F | --recovery-key-file F | --keychain-file F   [--json]

Prints the payload's RON, or with --json one JSON object a line for each entry. Needs: cryptography, argon2-cffi.
"""

import argparse
import hashlib
import hmac
import json
import re
import struct
import sys
import unicodedata

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
INFO = {1: b"password", 2: b"keychain", 3: b"recovery", 4: b"password+keychain"}


def fail(text):
    sys.exit(f"decrypt.py: {text}")


def hkdf(key, salt, info):
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=salt, info=info).derive(key)


def unseal(key, aad, sealed):
    return AESGCM(key).decrypt(bytes(12), sealed, aad)


def recovery_key(text):
    """Bech32m: the data part's 5-bit groups, checked and put together to 20 bytes."""
    plain = re.sub(r"[\s\-_\u2010-\u2014\u2212]", "", text).lower()
    if not plain.startswith("otpanel1"):
        plain = "otpanel1" + plain
    values = [BECH32.index(c) for c in plain[8:]]
    prefix = "otpanel"
    check = 1
    for value in [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, part in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= part if top >> i & 1 else 0
    if check != 0x2BC830A3 or len(values) != 38:
        fail("the recovery key has a slip in it")
    number = 0
    for value in values[:32]:
        number = number << 5 | value
    return number.to_bytes(20, "big")


def slots_of(data):
    slots, at = [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<HH", data, at)
        slots.append((kind, data[at + 4 : at + 20], data[at + 20 : at + 20 + length]))
        at += 20 + length
    return slots


def material(kind, parameters, secrets):
    """What a slot's wrap key is derived from, or None where the secret is not at hand."""
    derived = None
    if kind in (1, 4) and "password" in secrets:
        m, t, p = struct.unpack_from("<III", parameters)
        if not (8192 <= m <= 1 << 20 and 1 <= t <= 16 and 1 <= p <= 16):
            fail("a key derivation is out of bounds")
        password = unicodedata.normalize("NFKC", secrets["password"]).encode()
        derived = hash_secret_raw(password, parameters[12:44], t, m, p, 32, Type.ID, 0x13)
    if kind == 1:
        return derived
    if kind in (2, 3):
        return secrets.get({2: "keychain", 3: "recovery"}[kind])
    if kind == 4 and derived and "keychain" in secrets:
        return derived + secrets["keychain"]
    return None


def open_vault(data, secrets):
    if data[:8] != b"\x89OTPV\r\n\x1a":
        fail("not an otpanel vault")
    major, _minor, slots_len, payload_len = struct.unpack_from("<HHIQ", data, 8)
    if major != 1:
        fail("made by a newer otpanel")
    vault_id, salt = data[24:40], data[40:72]
    mac_at = 92 + slots_len
    if len(data) != mac_at + 32 + payload_len:
        fail("the file's length is wrong")
    for kind, slot_id, body in slots_of(data[92:mac_at]):
        if kind not in INFO:
            continue
        parameters, wrapped = body[:-48], body[-48:]
        key = material(kind, parameters, secrets)
        if key is None:
            continue
        wrap_key = hkdf(key, parameters[-32:], b"otpanel/v1/slot/" + INFO[kind])
        aad = b"otpanel/v1/slot" + vault_id + struct.pack("<H", kind) + slot_id + parameters
        try:
            dek = unseal(wrap_key, aad, wrapped)
            break
        except InvalidTag:
            continue
    else:
        fail("no slot opens with this")
    mac = hmac.new(hkdf(dek, salt, b"otpanel/v1/header"), data[:mac_at], hashlib.sha256).digest()
    if not hmac.compare_digest(mac, data[mac_at : mac_at + 32]):
        fail("the file was altered")
    try:
        text = unseal(hkdf(dek, salt, b"otpanel/v1/payload"), data[: mac_at + 32], data[mac_at + 32 :])
    except InvalidTag:
        fail("the file was altered")
    (length,) = struct.unpack_from("<Q", text)
    return text[8 : 8 + length].decode()


class Ron:
    """The part of RON that docs/vault.md names. Structs and maps become dicts, tuples and lists become lists."""

    TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(-?\d+)|([A-Za-z_]\w*)|([()\[\]{}:,]))', re.S)

    def __init__(self, text):
        self.tokens, at, text = [], 0, text.rstrip()
        while at < len(text):
            token = self.TOKEN.match(text, at)
            if not token:
                fail("the payload is not RON")
            self.tokens.append(token.group(token.lastindex))
            at = token.end()
        self.at = 0

    def take(self, expected=None):
        token = self.tokens[self.at]
        if expected and token != expected:
            fail(f"the payload has {token!r} where {expected!r} belongs")
        self.at += 1
        return token

    def peek(self, ahead=0):
        return self.tokens[self.at + ahead]

    def items(self, end, item):
        out = []
        while self.peek() != end:
            out.append(item())
            if self.peek() != end:
                self.take(",")
        self.take(end)
        return out

    def pair(self):
        name = self.value()
        self.take(":")
        return name, self.value()

    def value(self):
        token = self.take()
        if token == "(":
            if re.match(r"[a-z_]", self.peek()) and self.peek(1) == ":":
                return dict(self.items(")", self.pair))
            return self.items(")", self.value)
        if token == "[":
            return self.items("]", self.value)
        if token == "{":
            return dict(self.items("}", self.pair))
        if token[0] == '"':
            return re.sub(r"\\(?:u\{([0-9a-f]+)\}|(.))", self.escape, token[1:-1], flags=re.S)
        if token in ("Text", "Number", "Flag"):
            self.take("(")
            value = self.value()
            self.take(")")
            return value
        if token in ("true", "false"):
            return token == "true"
        return int(token) if re.match(r"-?\d", token) else token

    @staticmethod
    def escape(found):
        code, letter = found.groups()
        return chr(int(code, 16)) if code else {"n": "\n"}.get(letter, letter)


def main():
    parser = argparse.ArgumentParser(description="Opens an otpanel vault and prints its content.")
    parser.add_argument("vault")
    for name in ("password", "recovery-key", "keychain"):
        parser.add_argument(f"--{name}-file")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    secrets = {}
    if options.password_file:
        with open(options.password_file, encoding="utf-8", newline="") as file:
            secrets["password"] = file.read().removesuffix("\n").removesuffix("\r")
    if options.recovery_key_file:
        with open(options.recovery_key_file, encoding="utf-8") as file:
            secrets["recovery"] = recovery_key(file.read())
    if options.keychain_file:
        with open(options.keychain_file, "rb") as file:
            secrets["keychain"] = file.read()
    with open(options.vault, "rb") as file:
        text = open_vault(file.read(), secrets)
    if not options.json:
        sys.stdout.buffer.write(text.encode())
        return
    for entry in Ron(text).value()["entries"]:
        print(json.dumps(entry, ensure_ascii=False, sort_keys=True))


main()
