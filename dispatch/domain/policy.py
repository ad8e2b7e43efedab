"""Who may come through which door: one table, deny by default.

A row names an endpoint (its OpenAPI operation id) and the roles that may call it. A route
without a row fails the build; a role that is not in the row is refused before any code runs.
What an allowed caller may do to which ticket is decided by the life cycle and by visibility.
"""

from dispatch.domain.commands import Role
from dispatch.domain.errors import Forbidden

PUBLIC: frozenset[Role] = frozenset()
_BOARD = frozenset({Role.ADMIN, Role.DISPATCHER})
#: Whoever signs in to the board, a contractor's dispatcher too.
_DESK = _BOARD | {Role.CONTRACTOR}
#: What a contractor's dispatcher reads of the board: row-level security shows the contractor's own.
_VIEW = _DESK
_ADMIN = frozenset({Role.ADMIN})
_ENGINEER = frozenset({Role.ENGINEER})
_CUSTOMER = frozenset({Role.CUSTOMER})
_KEY = frozenset({Role.API_KEY})

POLICY: dict[str, frozenset[Role]] = {
    # for anyone: they let people in, or show what is public
    "health": PUBLIC,
    "ready": PUBLIC,
    "metrics": PUBLIC,
    "engineer_signin": PUBLIC,
    "engineer_signin_code": PUBLIC,
    "engineer_signin_by_code": PUBLIC,
    "engineer_refresh": PUBLIC,
    "dispatcher_signin": PUBLIC,
    "dispatcher_signin_ways": PUBLIC,
    "dispatcher_oidc_start": PUBLIC,
    "dispatcher_oidc_callback": PUBLIC,
    "request_form": PUBLIC,
    "request_form_post": PUBLIC,
    "request_ticket": PUBLIC,
    "map_layer": PUBLIC,
    "map_base": PUBLIC,
    "map_tile": PUBLIC,
    "static_page": PUBLIC,
    "link_page": PUBLIC,
    "link_form": PUBLIC,
    "link_photo_page": PUBLIC,
    "link_certificate": PUBLIC,
    "check_certificate": PUBLIC,
    "manager_page": PUBLIC,
    "manager_form": PUBLIC,
    # the engineer's phone
    "engineer_signout": _ENGINEER,
    "engineer_devices": _ENGINEER,
    "engineer_revoke_device": _ENGINEER,
    "engineer_today": _ENGINEER,
    "engineer_pool": _ENGINEER,
    "engineer_ticket": _ENGINEER,
    "engineer_receipt": _ENGINEER,
    "engineer_action": _ENGINEER,
    "engineer_actions": _ENGINEER,
    "engineer_positions": _ENGINEER,
    "engineer_position_use": _ENGINEER,
    "engineer_position_consent": _ENGINEER,
    "engineer_stock": _ENGINEER,
    "engineer_begin_upload": _ENGINEER,
    "engineer_upload": _ENGINEER,
    "engineer_upload_piece": _ENGINEER,
    "engineer_put_photo": _ENGINEER,
    "engineer_get_photo": _ENGINEER,
    "engineer_sync": _ENGINEER,
    "engineer_live": _ENGINEER,
    "engineer_push_target": _ENGINEER,
    "engineer_drop_push_target": _ENGINEER,
    "engineer_push_key": _ENGINEER,
    "engineer_push_ack": _ENGINEER,
    "engineer_colleagues": _ENGINEER,
    # the dispatcher's board
    "dispatcher_signout": _DESK,
    "dispatcher_me": _DESK,
    "dispatcher_prove": _DESK,
    "dispatcher_oidc_prove": _DESK,
    "dispatcher_change_password": _DESK,
    "dispatcher_totp_start": _DESK,
    "dispatcher_totp_confirm": _DESK,
    "dispatcher_totp_remove": _DESK,
    "dispatcher_board": _VIEW,
    "dispatcher_tickets": _VIEW,
    "dispatcher_create_ticket": _BOARD,
    "dispatcher_ticket": _VIEW,
    "dispatcher_action": _VIEW,
    "dispatcher_candidates": _BOARD,
    "dispatcher_receipts": _BOARD,
    "dispatcher_match": _BOARD,
    "engineer_requests": _ENGINEER,
    "engineer_ask": _ENGINEER,
    "engineer_shifts": _ENGINEER,
    "engineer_withdraw_request": _ENGINEER,
    "dispatcher_bulk_reports": _BOARD,
    "dispatcher_engineer_out": _BOARD,
    "dispatcher_bulk_rebook": _BOARD,
    "dispatcher_requests": _BOARD,
    "contractor_work": frozenset({Role.CONTRACTOR}),
    "dispatcher_shifts": _BOARD,
    "dispatcher_add_shifts": _BOARD,
    "dispatcher_drop_shift": _BOARD,
    "dispatcher_answer_request": _BOARD,
    "dispatcher_why_not": _BOARD,
    "dispatcher_match_policies": _BOARD,
    "dispatcher_put_match_policy": _ADMIN,
    "dispatcher_drop_match_policy": _ADMIN,
    "dispatcher_put_wish": _BOARD,
    "dispatcher_put_part_wanted": _BOARD,
    "dispatcher_catalogue": _VIEW,
    "dispatcher_places": _BOARD,
    "dispatcher_put_photo": _BOARD,
    "dispatcher_get_photo": _VIEW,
    "dispatcher_live": _VIEW,
    "wecom_verify": PUBLIC,
    "wecom_callback": PUBLIC,
    "dispatcher_webhooks": _ADMIN,
    "dispatcher_put_webhook": _ADMIN,
    "dispatcher_rotate_webhook": _ADMIN,
    "dispatcher_webhook_deliveries": _ADMIN,
    "dispatcher_replay_webhook": _ADMIN,
    "dispatcher_automations": _ADMIN,
    "dispatcher_put_automation": _ADMIN,
    "dispatcher_messages": _BOARD,
    "dispatcher_tell_settings": _ADMIN,
    "dispatcher_put_tell_rules": _ADMIN,
    "dispatcher_put_channel": _ADMIN,
    "dispatcher_put_targets": _ADMIN,
    "dispatcher_promises": _VIEW,
    "dispatcher_promise_settings": _BOARD,
    "dispatcher_put_policy": _ADMIN,
    "dispatcher_put_calendar": _ADMIN,
    "dispatcher_china_days": _ADMIN,
    "dispatcher_put_contract": _ADMIN,
    "dispatcher_put_duty": _ADMIN,
    "dispatcher_drop_contract": _ADMIN,
    "dispatcher_drop_duty": _ADMIN,
    "dispatcher_operations": _ADMIN,
    "dispatcher_admin": _ADMIN,
    "dispatcher_admin_engineers": _ADMIN,
    "dispatcher_admin_dispatchers": _ADMIN,
    "dispatcher_admin_keys": _ADMIN,
    "dispatcher_add_engineer": _ADMIN,
    "dispatcher_erase_engineer": _ADMIN,
    "dispatcher_erase_customer": _ADMIN,
    "dispatcher_customer_export": _ADMIN,
    "dispatcher_devices": _BOARD,
    "dispatcher_revoke_device": _BOARD,
    "dispatcher_add_dispatcher": _ADMIN,
    "dispatcher_set_territories": _ADMIN,
    "dispatcher_set_password": _ADMIN,
    "dispatcher_set_active": _ADMIN,
    "dispatcher_oidc": _ADMIN,
    "dispatcher_put_oidc": _ADMIN,
    "dispatcher_put_email": _ADMIN,
    "dispatcher_add_key": _ADMIN,
    "dispatcher_revoke_key": _ADMIN,
    "dispatcher_add_skill": _ADMIN,
    "dispatcher_add_work_type": _ADMIN,
    "dispatcher_dead_letters": _ADMIN,
    "dispatcher_retry": _ADMIN,
    "dispatcher_put_checklist": _ADMIN,
    "dispatcher_put_price": _ADMIN,
    "dispatcher_drop_price": _ADMIN,
    "dispatcher_put_parts": _ADMIN,
    "dispatcher_put_rate": _ADMIN,
    "dispatcher_drop_rate": _ADMIN,
    "dispatcher_settlement": _ADMIN,
    "dispatcher_depots": _BOARD,
    "dispatcher_put_depot": _ADMIN,
    "dispatcher_receive_parts": _BOARD,
    "dispatcher_load_van": _BOARD,
    "dispatcher_unload_van": _BOARD,
    "dispatcher_old_parts": _BOARD,
    "dispatcher_take_old_parts": _BOARD,
    "dispatcher_book_out_old_parts": _BOARD,
    "dispatcher_take_stock": _BOARD,
    "dispatcher_stock": _BOARD,
    "dispatcher_add_asset": _BOARD,
    "dispatcher_asset": _BOARD,
    "dispatcher_put_machines": _BOARD,
    "dispatcher_manager_link": _BOARD,
    "dispatcher_certificate": _BOARD,
    "dispatcher_follow_up": _BOARD,
    "dispatcher_first_time_fix": _BOARD,
    "dispatcher_ticket_proof": _BOARD,
    "dispatcher_checklists": _BOARD,
    "dispatcher_prices": _ADMIN,
    "dispatcher_parts": _BOARD,
    "dispatcher_part_movements": _BOARD,
    # the customer's link
    "customer_ticket": _CUSTOMER,
    "customer_action": _CUSTOMER,
    "customer_put_photo": _CUSTOMER,
    "customer_get_photo": _CUSTOMER,
    # other systems
    "integration_create_ticket": _KEY,
    "integration_ticket": _KEY,
    "integration_action": _KEY,
}

#: The scope an API key must carry besides its role.
SCOPES: dict[str, str] = {
    "integration_create_ticket": "tickets:create",
    "integration_ticket": "tickets:read",
    "integration_action": "tickets:act",
}


#: Asked for only by somebody who has given a password or a second factor within minutes: what takes data out,
#: changes much at once, or hands out access. Names ending so are in it, whoever adds them.
STEP_UP_ENDINGS = ("_export", "_import", "_bulk")
STEP_UP: frozenset[str] = frozenset(
    {
        "dispatcher_add_dispatcher",
        "dispatcher_erase_customer",
        "dispatcher_erase_engineer",
        "dispatcher_add_key",
        "dispatcher_set_password",
        "dispatcher_set_territories",
        "dispatcher_put_oidc",
        "dispatcher_put_email",
        "dispatcher_totp_start",
        "dispatcher_totp_remove",
        *(name for name in POLICY if name.endswith(STEP_UP_ENDINGS)),
    }
)


def check_policy(operation: str, role: Role) -> None:
    """Raises Forbidden where the table does not name the role, or has no row at all."""
    if role not in POLICY.get(operation, PUBLIC):
        raise Forbidden("forbidden", operation=operation)
