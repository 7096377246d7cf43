"""The phones of a demo: one person's own, and a few people to write to. Made once; the simulator keeps them."""

import httpx

CONTROL_S = 10.0
#: Numbers of a range that the regulator set aside for fiction (Ofcom, 07700 900000 to 900999).
OWN_NUMBER = "447700900001"
OWN_NAME = "Ada"
CONTACTS = (("447700900002", "Grandma"), ("447700900003", "Ben"), ("447700900004", "Dr. Okafor's practice"))


def furnish(control: str) -> None:
    """Make the demo's phones at the simulator's control address `control`, unless there are some already.

    Raises httpx.HTTPError when the simulator does not answer as documented.
    """
    with httpx.Client(base_url=control, timeout=CONTROL_S, trust_env=False) as client:
        if client.get("/phones").raise_for_status().json()["phones"]:
            return
        for number, name in CONTACTS:
            body = {
                "number": number,
                "name": name,
                "picture": "shown",
                "contacts": [{"number": OWN_NUMBER, "name": OWN_NAME}],
            }
            client.post("/phones", json=body).raise_for_status()
        known = [{"number": number, "name": name} for number, name in CONTACTS]
        own = {"number": OWN_NUMBER, "name": OWN_NAME, "picture": "shown", "contacts": known}
        client.post("/phones", json=own).raise_for_status()
