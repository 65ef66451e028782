"""What a provider's ID token holds about a person once it is verified (OpenID Connect Core 3.1.3.7)."""

import time
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, KeySet
from joserfc.jws import JWSRegistry
from pydantic import ValidationError

from alerts.console.access_document import Oidc
from alerts.console.identity import PERSON
from streams.contract.sentences import sentence

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "ES384", "EdDSA")  # never none, never a shared secret
ASYMMETRIC: Final = ("RSA", "EC", "OKP")
# Parts of a header that are not understood are ignored (RFC 7515, section 4), but for those in `crit`.
SIGNATURES: Final = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
LEEWAY: Final = 60  # seconds by which the provider's clock may differ
Json = dict[str, Any]


class SignInError(ValueError):
    """Nobody is signed in; the sentence is for the person."""

    def __init__(self, message: str, /, **values: object) -> None:
        self.sentence = sentence(message, **values)
        super().__init__(str(self.sentence))


def signing_keys(document: Json) -> KeySet:
    """Return the keys that can sign; those of a kind that is not known are passed over (RFC 7517, section 5).

    Raises SignInError where there is none.
    """
    given = document.get("keys")
    keys = [key for one in (given if isinstance(given, list) else ()) if (key := _signing_key(one))]
    if not keys:
        raise SignInError("the provider's keys cannot be read")
    return KeySet(keys)


def _signing_key(given: Any) -> Any:
    if not isinstance(given, dict) or given.get("kty") not in ASYMMETRIC or given.get("use", "sig") != "sig":
        return None
    try:
        return JWKRegistry.import_key(given)
    except (JoseError, KeyError, TypeError, ValueError):
        return None


def signed_claims(token: str, keys: KeySet) -> Json:
    """Return the claims of a token; raises JoseError or ValueError where none of the keys signed it."""
    return dict(jwt.decode(token, keys, registry=SIGNATURES).claims)


def check_claims(claims: Json, oidc: Oidc, nonce: str) -> None:
    """Raise JoseError where a token is not of this provider, for this console and for this sign-in."""
    jwt.JWTClaimsRegistry(
        now=lambda: int(time.time()),
        leeway=LEEWAY,
        iss={"essential": True, "value": oidc.issuer},
        aud={"essential": True, "value": oidc.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
        azp={"value": oidc.client_id},
    ).validate(claims)


def lacks(claims: Json, oidc: Oidc, known: frozenset[str]) -> bool:
    """Return whether the name, or the groups where some have a role, are not among the claims."""
    wanted = (oidc.name_claim, oidc.groups_claim) if known else (oidc.name_claim,)
    return any(claim(claims, name) is None for name in wanted)


def person(oidc: Oidc, claims: Json, known: frozenset[str]) -> Json:
    """Return name and groups; of the groups only those that have a role. Raises SignInError."""
    try:
        name = PERSON.validate_python(claim(claims, oidc.name_claim))
    except ValidationError as error:
        raise SignInError(
            "the provider's token has no {claim} that can be used", claim=oidc.name_claim
        ) from error
    # Amazon Cognito sends the text "false".
    if oidc.name_claim == "email" and str(claims.get("email_verified", True)).lower() == "false":
        raise SignInError("the provider has not verified your e-mail address")
    groups = claim(claims, oidc.groups_claim) or ()
    listed = groups if isinstance(groups, list | dict) else (groups,)  # Zitadel's roles are names of members
    return {"name": name, "groups": sorted(known.intersection(map(str, listed)))}


def claim(claims: Json, name: str) -> Any:
    """Return a claim by its name, or by its path, as `realm_access.roles`; None where it is not there."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found
