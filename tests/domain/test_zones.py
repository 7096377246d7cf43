"""A number's digits tell a zone only where they can, and zones are called as people call them."""

from zoneinfo import ZoneInfo

import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from domain.zones import CITY, HOME, city, zone_of_number

NUMBERS = [
    ("491711234567", "Europe/Berlin"),
    ("5511987654321", "America/Sao_Paulo"),
    ("351912345678", "Europe/Lisbon"),
    ("34612345678", "Europe/Madrid"),
    ("393331234567", "Europe/Rome"),
    ("442071234567", "Europe/London"),
    ("353851234567", "Europe/Dublin"),
    ("819012345678", "Asia/Tokyo"),
    ("917012345678", "Asia/Calcutta"),
    ("12125550123", "America/New_York"),
    ("13105551234", "America/Los_Angeles"),
    ("447700900001", "Europe/London"),
]
NOT_TOLD = ["79161234567", "61412345678", "5599", "18005551234", "80012345678", "0171", "", "hello", "999123456789"]
CITIES = [
    ("Europe/Berlin", "Berlin"),
    ("America/Sao_Paulo", "São Paulo"),
    ("America/Argentina/Buenos_Aires", "Buenos Aires"),
    ("Asia/Calcutta", "Kolkata"),
    ("UTC", "UTC"),
]


@pytest.mark.parametrize(("digits", "zone"), NUMBERS)
def test_a_number_tells_its_zone(digits: str, zone: str) -> None:
    assert zone_of_number(digits) == zone


@pytest.mark.parametrize("digits", NOT_TOLD)
def test_where_it_may_be_several_or_none_nothing_is_told(digits: str) -> None:
    assert zone_of_number(digits) == ""


@pytest.mark.parametrize(("zone", "name"), CITIES)
def test_a_zone_is_called_as_people_call_it(zone: str, name: str) -> None:
    assert city(zone) == name


def test_every_zone_that_can_be_told_is_one_that_clocks_know() -> None:
    for zone in {*HOME.values(), *CITY, *(zone for zones in TIMEZONE_DATA.values() for zone in zones)}:
        assert ZoneInfo(zone).key == zone
