"""How fast this CPU's OpenSSL hashes and encrypts at this hour: what no program that signs and seals can be below.

On a shared host AES-GCM changes by a third from one second to the next, and SHA-256 hardly: so a figure that has
both in it is read beside them.
"""
import re
import subprocess

#: As large as a TLS record. Long enough for a figure, short enough to take one beside every round.
BLOCK_BYTES, SECONDS = 16 << 10, 1
HASH, CIPHER = "sha256", "aes-128-gcm"


def bytes_per_second(algorithm):
    """By `openssl speed`, on one core. Raises RuntimeError where it says none."""
    command = ["openssl", "speed", "-mr", "-seconds", str(SECONDS), "-bytes", str(BLOCK_BYTES), "-evp", algorithm]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS + 30)
    except subprocess.TimeoutExpired as late:
        raise RuntimeError(f"openssl speed -evp {algorithm} took more than {late.timeout} s") from None
    found = re.search(r"^\+F:\d+:[^:]+:([\d.]+)$", done.stdout, re.MULTILINE)
    if not found:
        raise RuntimeError(f"openssl speed -evp {algorithm} said no figure: {(done.stderr or done.stdout).strip()}")
    return float(found[1])


class Speed:
    """Of both, at one time."""

    def __init__(self):
        self.hash, self.cipher = bytes_per_second(HASH), bytes_per_second(CIPHER)

    def microseconds(self, row_bytes):
        """To hash and to encrypt what a row becomes in a call's body: base64, four bytes for three."""
        return row_bytes * 4 / 3 * (1 / self.hash + 1 / self.cipher) * 1e6
