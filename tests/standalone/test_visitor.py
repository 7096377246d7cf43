"""The visitor signs in at a real web process, with the code that it finds in the mailbox."""

import httpx
import pytest

from standalone.children import bring_up
from standalone.home import Home
from standalone.plan import Plan
from standalone.programs import Program
from standalone.visitor import Visitor


def test_a_visitor_signs_in_with_the_code_from_the_mailbox(own_home: Home, database_url: str, redis_url: str) -> None:
    plan = Plan(own_home, {"DATABASE_URL": database_url, "REDIS_URL": redis_url}, demo=False, port=0)
    web = next(service for service in plan.services if isinstance(service, Program) and service.name == "web")
    visitor = Visitor(plan.web_url, "ada@example.org")
    try:
        bring_up(web)
        with pytest.raises(httpx.HTTPStatusError, match="401"):
            visitor.get("/messages")
        visitor.sign_in()
        assert visitor.get("/api/v1/login")["email"] == "ada@example.org"
        assert visitor.get("/messages") == []
    finally:
        visitor.close()
        web.stop()
        plan.close()
    assert web.exit_code() == 0
