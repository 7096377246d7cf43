"""Every part in every state on one page, for who builds pages: `/parts`, in a demo only."""

from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Response, get

from app.form import AppRequest
from app.render import TEMPLATE_FOLDER, page
from app.site import Site
from domain.refusal import RefusalCode, Refused

STORIES: Final[Path] = TEMPLATE_FOLDER / "stories"


class Storybook(msgspec.Struct, frozen=True, kw_only=True):
    """The parts' names."""

    names: list[str]


def story_names() -> list[str]:
    """The parts that have a story, in the order of the alphabet."""
    return sorted(path.stem for path in STORIES.glob("*.html"))


@get("/parts", opt={"public": True})
async def show_storybook(request: AppRequest, site: Site) -> Response[Any]:
    """The storybook. It reads nothing and shows no data."""
    if not site.settings.simulator:
        raise Refused(RefusalCode.NOT_FOUND)
    return page(request, "storybook.html", Storybook(names=story_names()))
