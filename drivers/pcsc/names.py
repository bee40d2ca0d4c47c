"""Prints the name of each reader that pcscd knows, one a line: `python -m drivers.pcsc.names`."""

import importlib
import sys


def main() -> None:
    """Nothing where the service does not answer; ends with an error where the library is missing."""
    scard = importlib.import_module("smartcard.scard")
    code, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if code == scard.SCARD_S_SUCCESS:
        _, names = scard.SCardListReaders(context, [])
        sys.stdout.writelines(f"{name}\n" for name in names)


if __name__ == "__main__":
    main()
