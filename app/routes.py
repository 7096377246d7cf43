"""The application: every route, the guards before them, the errors after them."""

from typing import Final

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.types import ASGIApp

from app.errors import HANDLERS
from app.guard import check_login, check_write
from app.handlers import (
    accounts,
    acts,
    composer,
    contacts,
    editing,
    engine,
    engine_accounts,
    engine_orders,
    find,
    health,
    history,
    leaving,
    live,
    logins,
    mailbox,
    messages,
    pairings,
    schedules,
    settings,
    signing,
    storybook,
    today,
    viewing,
)
from app.shield import Shield
from app.site import Site
from app.static_files import show_static

BODY_BYTES_MAX: Final = 64 * 1024
"""The largest form: a sealed body of 4,096 characters is 23 kB in base64."""

ROUTES: Final = (
    signing.show_landing,
    signing.show_sign_in,
    signing.create_code,
    signing.show_code_form,
    signing.create_login,
    logins.show_login,
    logins.list_logins,
    logins.end_other_logins,
    logins.end_login,
    mailbox.show_mailbox,
    today.show_today,
    today.show_messages,
    today.show_now,
    today.show_status,
    find.show_found,
    find.show_phones,
    history.show_history,
    messages.show_message,
    messages.read_message,
    messages.show_letter,
    viewing.show_sealed,
    viewing.show_many_sealed,
    viewing.show_recovery,
    viewing.show_viewing_key,
    viewing.create_viewing_key,
    viewing.open_viewing_key,
    viewing.forget_viewing_key,
    acts.show_move,
    editing.show_edit,
    editing.edit_schedule,
    acts.cancel_message,
    acts.change_message,
    acts.resend_message,
    schedules.show_seal_key,
    composer.show_composer,
    composer.show_next,
    composer.show_schedule,
    schedules.create_schedule,
    accounts.list_accounts,
    accounts.create_account,
    accounts.show_account,
    accounts.show_state,
    accounts.unlink,
    accounts.wake,
    settings.change_settings,
    settings.show_zones,
    leaving.show_export,
    leaving.show_farewell,
    leaving.delete_everything,
    leaving.show_goodbye,
    pairings.show_pairing,
    pairings.show_code,
    pairings.create_pairing,
    pairings.show_unlinking,
    contacts.find_contacts,
    contacts.list_contacts,
    contacts.show_picture,
    live.stream_live,
    engine.show_engine,
    engine.show_room,
    engine.show_outlook,
    engine.stream_engine,
    engine_accounts.list_engine_accounts,
    engine_accounts.show_engine_account,
    engine_accounts.show_place,
    engine_orders.put_to_sleep,
    engine_orders.park,
    engine_orders.unpark,
    engine_orders.show_nodes,
    engine_orders.drain,
    engine_orders.undrain,
    engine_orders.show_trail,
    storybook.show_storybook,
    health.show_life,
    health.show_readiness,
    health.show_metrics,
    show_static,
)


def make_app(site: Site) -> ASGIApp:
    """The ASGI application of `site`, whose parts the caller opened and closes."""
    app = Litestar(
        route_handlers=list(ROUTES),
        guards=[check_login, check_write],
        dependencies={"site": Provide(_site, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        state=State({"site": site}),
        openapi_config=None,
        logging_config=None,
        request_max_body_size=BODY_BYTES_MAX,
        signature_types=[Site],
    )
    return Shield(app, site.log, site.metrics.note_answer, secure=site.settings.secure)


def _site(state: State) -> Site:
    return state.site
