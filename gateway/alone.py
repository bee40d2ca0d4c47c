"""A gateway without a journal: it enrols itself, with a card key of its own."""

import secrets

from config.model import GatewayConfig
from gateway.errors import ConfigError
from sync.files import make_secret

_KEY_BYTES = 32


def enrol_itself(config: GatewayConfig) -> bool:
    """Makes the enrolment file where there is none; whether it did. Raises ConfigError."""
    file, key = config.enrolment.file, secrets.token_hex(_KEY_BYTES)
    text = f'site = "{config.site}"\ngateway = "{config.gateway}"\n\n[site_keys]\n1 = "{key}"\n'
    try:
        make_secret(file, text.encode("ascii"))
    except FileExistsError:
        return False
    except OSError as error:
        hint = (
            f"let [enrolment] name a file in a folder of the service, for example {config.state.directory}/{file.name}"
        )
        raise ConfigError(f"{file}: {error.strerror}", hint=hint) from error
    return True
