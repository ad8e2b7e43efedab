"""What follows from each step: event → jobs. The relay reads this table, and nothing else
enqueues work. A job's name is its module's function in `jobs/`.
"""

#: action of an event → jobs deferred for it, each with (tenant, subject, seq).
REACTIONS: dict[str, tuple[str, ...]] = {
    "create": ("keep_promises", "match_ticket", "tell_customer_received", "automate"),
    "offer": ("push_offers", "start_ladders"),
    "decline_offer": ("continue_offers", "end_ladders"),
    "offer_expired": ("continue_offers", "end_ladders"),
    "run_out": ("match_ticket", "automate"),
    "accept_offer": ("keep_promises", "tell_customer_assigned", "end_ladders", "automate"),
    "grab": ("keep_promises", "tell_customer_assigned", "automate"),
    "assign": ("keep_promises", "push_assignment", "tell_customer_assigned", "automate"),
    "hand_over": ("push_offers", "start_ladders"),
    "accept_hand_over": ("tell_customer_assigned", "end_ladders", "automate"),
    "hand_back": ("match_ticket", "automate"),
    "set_off": ("keep_promises", "tell_customer_en_route"),
    "turn_back": ("tell_customer_delayed",),
    "check_in": ("keep_promises", "judge_evidence"),
    "photo": ("judge_evidence",),
    "quote": ("tell_customer_quote",),
    "approve_quote": ("push_ticket_changed",),
    "refuse_quote": ("push_ticket_changed",),
    "complete": ("keep_promises", "ask_customer_acceptance", "automate"),
    "resolve_remotely": ("keep_promises", "ask_customer_acceptance", "automate"),
    "hold": ("keep_promises", "tell_customer_delayed"),
    "resume": ("keep_promises", "match_ticket", "automate"),
    "resume_kept": ("keep_promises", "push_assignment", "automate"),
    "sign_off": ("keep_promises", "tell_customer_closed", "automate"),
    "reject": ("keep_promises", "push_assignment", "match_ticket"),
    "reopen": ("keep_promises", "match_ticket", "automate"),
    "cancel": ("keep_promises", "push_ticket_changed"),
    "mark_duplicate": ("keep_promises", "push_ticket_changed"),
    "amend": ("keep_promises", "match_ticket", "push_ticket_changed"),
    "rebook": ("push_ticket_changed", "automate"),
    "urge": ("push_ticket_changed", "automate"),
    "contact": ("keep_promises",),
    "note": (),
    "acknowledge": ("keep_promises",),
    "offer_withdrawn": ("end_ladders",),
    "promise_at_risk": ("tell_promise", "automate"),
    "promise_broken": ("tell_promise",),
}

#: kind of a timer that came due → the job that looks again and acts.
TIMERS: dict[str, str] = {
    "offer_expires": "expire_offer",
    "acknowledge_by": "alert_unacknowledged",
    "hold_until": "resume_ticket",
    "sign_off_by": "sign_off_by_default",
    "remind_sign_off": "remind_acceptance",
    "match_again": "match_ticket",
    "purge_by": "purge_old",
    "promise_step": "promise_step",
    "message_due": "send_message",
    "auto_assign": "auto_assign",
    "auto_remind": "auto_remind",
    "auto_rating": "auto_rating",
    "auto_closing": "auto_closing",
    "ladder_next": "climb_ladder",
    "promise_sweep": "sweep_promises",
    "learn_by": "learn_travel",
}

#: A chain of reactions longer than this is a loop: it stops and becomes a dead letter.
MAX_DEPTH = 20
