"""Operations under fire: clients that never give up, a killer, and a ledger that forgets nothing."""
