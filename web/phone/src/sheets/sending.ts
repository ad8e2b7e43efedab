import { act } from '../core/app'
import type { ShownTicket } from '../core/overlay'
import { closeSheet, goInstead } from '../core/route'
import { reach } from '../core/state'
import type { ActionFacts } from '../core/wire'
import { say } from '../parts/basics'

/** After these the ticket is no longer this engineer's. */
const LEAVES = new Set(['sign_off', 'hand_back'])

/** What every sheet does at the end: queue the action, close, and say so when it cannot go out now. */
export async function sendAndClose(
  ticket: Pick<ShownTicket, 'ticket_id' | 'ticket_no'>, action: string, facts: ActionFacts, photoIds: string[] = [],
): Promise<void> {
  await act(ticket, action, facts, photoIds)
  if (reach.value !== 'online') say('saved_offline')
  if (LEAVES.has(action)) goInstead('today')
  else if (action === 'complete') goInstead(`ticket/${ticket.ticket_id}`)
  else closeSheet()
}

/** Facts without the empty ones: the contract refuses a null where it knows no value. */
export function textFact(text: string): { text?: string } {
  const trimmed = text.trim()
  return trimmed ? { text: trimmed } : {}
}
