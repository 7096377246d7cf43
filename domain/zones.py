"""Where a phone number is at home, as far as its digits tell, and what people call the place of a time zone."""

from typing import Final

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

HOME: Final = {
    "EC": "America/Guayaquil",
    "ES": "Europe/Madrid",
    "FI": "Europe/Helsinki",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "IT": "Europe/Rome",
    "NO": "Europe/Oslo",
    "NZ": "Pacific/Auckland",
    "PT": "Europe/Lisbon",
}
"""Countries whose mobile numbers name several zones although nearly everybody lives in one. Ireland is here because
the numbers' metadata takes it for the United Kingdom."""

CITY: Final = {
    "America/Asuncion": "Asunción",
    "America/Bogota": "Bogotá",
    "America/Cancun": "Cancún",
    "America/Godthab": "Nuuk",
    "America/New_York": "New York",
    "America/Sao_Paulo": "São Paulo",
    "America/St_Johns": "St. John's",
    "Africa/Asmera": "Asmara",
    "Africa/Sao_Tome": "São Tomé",
    "Asia/Calcutta": "Kolkata",
    "Asia/Katmandu": "Kathmandu",
    "Asia/Rangoon": "Yangon",
    "Asia/Saigon": "Ho Chi Minh City",
    "Asia/Ho_Chi_Minh": "Ho Chi Minh City",
    "Atlantic/Azores": "the Azores",
    "Atlantic/Canary": "the Canaries",
    "Atlantic/Cape_Verde": "Cape Verde",
    "Atlantic/Faeroe": "the Faroes",
    "Atlantic/Faroe": "the Faroes",
    "Europe/Kiev": "Kyiv",
    "Europe/Tirane": "Tirana",
    "Europe/Zurich": "Zürich",
    "Indian/Comoro": "the Comoros",
    "Indian/Maldives": "the Maldives",
    "Indian/Reunion": "Réunion",
    "Pacific/Ponape": "Pohnpei",
    "Pacific/Truk": "Chuuk",
}
"""Names that the zone's own would get wrong: accents, old spellings, islands."""


def zone_of_number(digits: str) -> str:
    """The IANA zone where the owner of an international number (without "+") most likely is; "" when it may be several.

    A number that nobody can have (a made-up one) still tells its country. Source: libphonenumber's map of number
    prefixes to zones, which costs 12 ms and 4 MB when it is loaded.
    """
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return ""
    country = number.country_code or 0
    region = phonenumbers.region_code_for_number(number)
    zones = time_zones_for_number(number)
    if zones[0] == UNKNOWN_TIMEZONE:
        region = phonenumbers.region_code_for_country_code(country)
        zones = TIMEZONE_DATA.get(str(country), ())
    if len(zones) == 1:
        return zones[0]
    return HOME.get(region or "", "")


def city(zone: str) -> str:
    """What people call the place of an IANA zone: "America/Sao_Paulo" is "São Paulo"; "UTC" stays."""
    return CITY.get(zone) or zone.rpartition("/")[2].replace("_", " ")
