"""Providers differ: in the keys that they publish, where they say who somebody is, how they know a client."""

import json
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from tests.alerts.console.identity_provider import IdentityProvider, fresh_key
from tests.alerts.console.test_sign_in import ANA, desk_of

__all__ = ["desk_of"]  # the fixture

NAMELESS = {"locale": "fr"}


@pytest.mark.parametrize(
    "key",
    [
        {"kty": "EC", "crv": "brainpoolP256r1", "kid": "other", "x": "AAAA", "y": "AAAA"},
        {"kty": "OKP", "crv": "X9", "kid": "other", "x": "AAAA"},
        {"kty": "AKP", "alg": "ML-DSA-44", "kid": "other", "pub": "AAAA"},
        {"kty": "oct", "kid": "other"},
        {"kid": "of no kind"},
        RSAKey.generate_key(2048, {"kid": "other", "use": "enc"}).as_dict(private=False),
    ],
)
async def test_a_key_of_a_kind_that_is_not_known_keeps_nobody_out(desk_of, key: dict[str, Any]) -> None:
    async with desk_of(IdentityProvider(ANA, further_keys=[key])) as desk:
        assert (await desk.sign_in())[0] == 302


async def test_a_provider_without_a_key_that_can_sign_is_named(desk_of) -> None:
    key = RSAKey.generate_key(2048, {"use": "enc", "kid": "for encryption"})
    async with desk_of(IdentityProvider(ANA, key=key, signer=fresh_key())) as desk:
        status, text = await desk.sign_in()
        assert (status, json.loads(text)["error"]) == (401, "the provider's keys cannot be read")


@pytest.mark.parametrize("parameters", [{}, {"kid": "always the same"}])
async def test_a_new_key_under_no_name_or_the_old_one_is_fetched(desk_of, parameters) -> None:
    """A provider that keeps its key in memory has another after each restart."""
    provider = IdentityProvider(ANA, key=RSAKey.generate_key(2048, parameters), header=parameters)
    async with desk_of(provider) as desk:
        assert (await desk.sign_in())[0] == 302
        provider.key = RSAKey.generate_key(2048, parameters)
        assert (await desk.sign_in())[0] == 302
        provider.signer = fresh_key()  # and one that it never published
        assert (await desk.sign_in())[0] == 401


async def test_a_part_of_the_tokens_header_that_is_not_known_is_ignored(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA, header={"pi.atm": "1"})) as desk:
        assert (await desk.sign_in())[0] == 302
        desk.provider.header = {"crit": ["pi.atm"], "pi.atm": "1"}  # unless it has to be understood
        status, text = await desk.sign_in()
        assert (status, "token is refused" in text) == (401, True), text


async def test_who_it_is_may_be_in_the_user_info_alone(desk_of) -> None:
    """So the standard has it for a flow that gives an access token (Core 5.4)."""
    async with desk_of(IdentityProvider(NAMELESS, user_info=ANA)) as desk:
        assert (await desk.sign_in())[0] == 302
        assert await desk.silence() == 202
    assert [control.by for control in desk.served.controls] == ["ana@example.org"]


@pytest.mark.parametrize(
    ("user_info", "reason"),
    [
        ({**ANA, "sub": "2"}, "has no email"),
        ({**ANA, "email_verified": "false"}, "has not verified"),
        (NAMELESS, "has no email"),
    ],
)
async def test_user_info_of_somebody_else_or_without_a_name_signs_nobody_in(
    desk_of, user_info: dict[str, Any], reason: str
) -> None:
    async with desk_of(IdentityProvider(NAMELESS, user_info=user_info)) as desk:
        status, text = await desk.sign_in()
        assert (status, reason in text) == (401, True), text


async def test_what_the_signed_token_says_prevails_over_the_user_info(desk_of) -> None:
    """The groups are missing in the token, so that user info is asked for."""
    person = {"email": "ana@example.org", "email_verified": True}
    provider = IdentityProvider(person, user_info={"email": "root@example.org", "groups": ["watch"]})
    async with desk_of(provider) as desk:
        assert (await desk.sign_in())[0] == 302
        assert await desk.silence() == 202
    assert [control.by for control in desk.served.controls] == ["ana@example.org"]


@pytest.mark.parametrize(
    ("name", "claims", "status"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["watch"]}}, 202),
        ("https://watch.example/groups", {"https://watch.example/groups": ["watch"]}, 202),
        ("roles", {"roles": {"watch": {"7": "watch.example"}}}, 202),  # Zitadel's
        ("roles", {"roles": "watch"}, 202),
        ("roles", {"roles": None}, 403),
        ("realm_access.roles", {"realm_access": ["watch"]}, 403),
    ],
)
async def test_groups_are_found_wherever_the_provider_has_them(
    desk_of, tmp_path, name: str, claims: dict[str, Any], status: int
) -> None:
    async with desk_of(IdentityProvider({"email": "ana@example.org", **claims})) as desk:
        path = tmp_path / "access.toml"
        path.write_text(path.read_text().replace("[[grant]]", f'groups_claim = "{name}"\n[[grant]]'))
        assert (await desk.sign_in())[0] == 302
        assert await desk.silence() == status


async def test_a_provider_that_takes_the_secret_in_the_form_alone_gets_it_there(desk_of) -> None:
    async with desk_of(IdentityProvider(ANA, takes="client_secret_post")) as desk:
        assert (await desk.sign_in())[0] == 302
