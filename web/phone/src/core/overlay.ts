/**
 * What the engineer sees: the server's last snapshot with the queue laid over it. A tap shows at once,
 * marked as not yet sent; where it needs the server's yes (accepting, grabbing) it is shown as asked, not as won.
 */

import type { QueuedCommand } from './db'
import lifecycle from './lifecycle.json'
import type { OfferCard, TicketCard, Today } from './wire'

const TARGETS: Record<string, string> = lifecycle.targets
const ACTIONS: Record<string, string[]> = lifecycle.actions

export interface ShownTicket extends TicketCard {
  /** Actions of the queue laid over this ticket, oldest first. */
  queued: string[]
}

export interface ShownOffer extends OfferCard {
  queued: string[]
}

export interface Shown extends Omit<Today, 'tickets' | 'offers'> {
  tickets: ShownTicket[]
  offers: ShownOffer[]
}

const ofTicket = (waiting: QueuedCommand[], ticketId: string): QueuedCommand[] =>
  waiting.filter((command) => command.ticket_id === ticketId && !command.refused && !command.request)

/** The snapshot with `queue` (oldest first) applied; refused commands change nothing. */
export function overlay(today: Today, queue: QueuedCommand[]): Shown {
  return {
    ...today,
    tickets: today.tickets.map((ticket) => overlayTicket(ticket, ofTicket(queue, ticket.ticket_id))),
    offers: today.offers.map((offer) => overlayOffer(offer, queue)),
  }
}

export function overlayOffer(offer: OfferCard, queue: QueuedCommand[]): ShownOffer {
  const queued = ofTicket(queue, offer.ticket_id).map((command) => command.action)
  return { ...offer, queued, allowed_actions: queued.length ? [] : offer.allowed_actions }
}

function overlayTicket(ticket: TicketCard, queue: QueuedCommand[]): ShownTicket {
  const start: ShownTicket = { ...ticket, queued: [] }
  return queue.reduce(overlayCommand, start)
}

function overlayCommand(ticket: ShownTicket, command: QueuedCommand): ShownTicket {
  const queued = [...ticket.queued, command.action]
  if (ticket.role !== 'lead') return overlayHelper(ticket, command, queued)
  const target = TARGETS[command.action]
  const status = target ?? ticket.status
  const next: ShownTicket = { ...ticket, queued, status }
  if (target && target !== ticket.status) next.allowed_actions = ACTIONS[target] ?? []
  if (command.action === 'acknowledge' || command.action === 'set_off') {
    next.acknowledged = true
    next.allowed_actions = next.allowed_actions.filter((action) => action !== 'acknowledge')
  }
  if (command.action === 'hand_over') next.allowed_actions = next.allowed_actions.filter((action) => action !== 'hand_over')
  if (command.action === 'check_in') next.checked_in_at = command.at
  if (command.action === 'complete') next.outcome = command.facts.outcome ?? null
  if (command.action === 'hold') next.hold_until = command.facts.until ?? null
  return next
}

/** A helper moves only their own times; the ticket stays where the lead has put it. */
function overlayHelper(ticket: ShownTicket, command: QueuedCommand, queued: string[]): ShownTicket {
  const allowed_actions = ticket.allowed_actions.filter((action) => action !== command.action)
  const checked_in_at = command.action === 'check_in' ? command.at : ticket.checked_in_at
  return { ...ticket, queued, allowed_actions, checked_in_at }
}

/** The ticket to do now: the one the engineer is at or driving to, else the first one still to visit, in the server's order. */
export function nextTicket(tickets: ShownTicket[]): ShownTicket | null {
  for (const status of ['on_site', 'en_route', 'assigned']) {
    const found = tickets.find((ticket) => ticket.status === status)
    if (found) return found
  }
  return null
}

const MAIN: Record<string, string[]> = {
  assigned: ['set_off', 'check_in'],
  en_route: ['check_in'],
  on_site: ['complete'],
  awaiting_acceptance: ['sign_off'],
}

/** The one button that moves the work on; null when nothing is the engineer's to do. */
export function mainAction(ticket: TicketCard): string | null {
  const helper = ticket.checked_in_at ? ['complete'] : ['check_in', 'set_off']
  const wanted = ticket.role === 'lead' ? (MAIN[ticket.status] ?? []) : helper
  const seenFirst = ticket.acknowledged || ticket.role !== 'lead' ? wanted : ['acknowledge', ...wanted]
  return seenFirst.find((action) => ticket.allowed_actions.includes(action)) ?? null
}
