"""What follows from each step: event → jobs. The relay reads this table, and nothing else
enqueues work. A job's name is its module's function in `jobs/`.
"""

#: action of an event → jobs deferred for it, each with (tenant, subject, seq).
REACTIONS: dict[str, tuple[str, ...]] = {
    "create": ("keep_promises", "match_ticket", "tell_customer_received", "automate", "queue_webhooks"),
    "offer": ("push_offers", "start_ladders", "queue_webhooks"),
    "decline_offer": ("continue_offers", "end_ladders", "queue_webhooks"),
    "offer_expired": ("continue_offers", "end_ladders", "queue_webhooks"),
    "run_out": ("match_ticket", "automate", "queue_webhooks"),
    "accept_offer": ("keep_promises", "tell_customer_assigned", "end_ladders", "automate", "queue_webhooks"),
    "grab": ("keep_promises", "tell_customer_assigned", "automate", "queue_webhooks"),
    "assign": ("keep_promises", "push_assignment", "tell_customer_assigned", "automate", "queue_webhooks"),
    "name_engineer": (
        "keep_promises",
        "push_assignment",
        "tell_customer_assigned",
        "automate",
        "queue_webhooks",
    ),
    "hand_over": ("push_offers", "start_ladders", "queue_webhooks"),
    "accept_hand_over": ("tell_customer_assigned", "end_ladders", "automate", "queue_webhooks"),
    "hand_back": ("match_ticket", "automate", "queue_webhooks"),
    "set_off": ("keep_promises", "tell_customer_en_route", "queue_webhooks"),
    "turn_back": ("tell_customer_delayed", "queue_webhooks"),
    "check_in": ("keep_promises", "judge_evidence", "tell_customer_arrived", "queue_webhooks"),
    "photo": ("judge_evidence",),
    "quote": ("tell_customer_quote", "queue_webhooks"),
    "approve_quote": ("push_ticket_changed", "queue_webhooks"),
    "pay": ("queue_webhooks",),
    "refuse_quote": ("push_ticket_changed", "queue_webhooks"),
    "complete": ("keep_promises", "ask_customer_acceptance", "automate", "queue_webhooks"),
    "resolve_remotely": ("keep_promises", "ask_customer_acceptance", "automate", "queue_webhooks"),
    "hold": ("keep_promises", "tell_customer_delayed", "queue_webhooks"),
    "resume": ("keep_promises", "match_ticket", "automate", "queue_webhooks"),
    "resume_kept": ("keep_promises", "push_assignment", "automate", "queue_webhooks"),
    "sign_off": ("keep_promises", "tell_customer_closed", "automate", "queue_webhooks"),
    "reject": ("keep_promises", "push_assignment", "match_ticket", "queue_webhooks"),
    "reopen": ("keep_promises", "match_ticket", "automate", "queue_webhooks"),
    "cancel": ("keep_promises", "push_ticket_changed", "queue_webhooks"),
    "mark_duplicate": ("keep_promises", "push_ticket_changed", "queue_webhooks"),
    "amend": ("keep_promises", "match_ticket", "push_ticket_changed", "queue_webhooks"),
    "rebook": ("push_ticket_changed", "tell_customer_rebooked", "automate", "queue_webhooks"),
    "urge": ("push_ticket_changed", "automate", "queue_webhooks"),
    "contact": ("keep_promises", "queue_webhooks"),
    "note": ("queue_webhooks",),
    "acknowledge": ("keep_promises", "queue_webhooks"),
    "offer_withdrawn": ("end_ladders",),
    "approve_request": ("push_request_answered",),
    "refuse_request": ("push_request_answered",),
    "promise_at_risk": ("tell_promise", "automate", "queue_webhooks"),
    "promise_broken": ("tell_promise", "queue_webhooks"),
}

#: kind of a timer that came due → the job that looks again and acts.
TIMERS: dict[str, str] = {
    "offer_expires": "expire_offer",
    "acknowledge_by": "alert_unacknowledged",
    "name_engineer_by": "escalate_unnamed",
    "hold_until": "resume_ticket",
    "sign_off_by": "sign_off_by_default",
    "remind_sign_off": "remind_acceptance",
    "match_again": "match_ticket",
    "match_batch": "match_batch",
    "purge_by": "purge_old",
    "promise_step": "promise_step",
    "message_due": "send_message",
    "webhook_next": "deliver_webhook",
    "auto_assign": "auto_assign",
    "auto_remind": "auto_remind",
    "auto_rating": "auto_rating",
    "auto_closing": "auto_closing",
    "ladder_next": "climb_ladder",
    "promise_sweep": "sweep_promises",
    "learn_by": "learn_travel",
}

#: Jobs that ask somebody else's service and wait for it, a hung one for seconds.
WAITS_FOR_OTHERS = frozenset(
    {
        "push_offers",
        "push_assignment",
        "push_ticket_changed",
        "push_request_answered",
        "send_message",
        "deliver_webhook",
    }
)

#: A chain of reactions longer than this is a loop: it stops and becomes a dead letter.
MAX_DEPTH = 20
