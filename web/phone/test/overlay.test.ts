import { describe, expect, it } from 'vitest'
import type { QueuedCommand } from '../src/core/db'
import { mainAction, nextTicket, overlay } from '../src/core/overlay'
import type { OfferCard } from '../src/core/wire'
import { ANA, problem, TICKET, ticketCard, todayOf } from './fakes'

function queued(action: string, changes: Partial<QueuedCommand> = {}): QueuedCommand {
  return {
    ...TICKET, engineer_id: ANA, command_id: action, action, at: '2026-11-22T08:00:00Z', facts: {}, photo_ids: [], frozen: false, tries: 0,
    refused: null, ...changes,
  }
}

const shownTicket = (commands: QueuedCommand[], ticket = ticketCard()) => overlay(todayOf([ticket]), commands).tickets[0]!

describe('what is shown over the last snapshot', () => {
  it('a tap shows at once and offers the next step', () => {
    const shown = shownTicket([queued('set_off')])
    expect([shown.status, shown.queued, mainAction(shown)]).toEqual(['en_route', ['set_off'], 'check_in'])
  })

  it('a whole visit can be done offline, step after step', () => {
    const commands = [queued('set_off'), queued('check_in'), queued('complete', { facts: { outcome: 'fixed' } })]
    const shown = shownTicket(commands)
    expect([shown.status, shown.outcome, mainAction(shown)]).toEqual(['awaiting_acceptance', 'fixed', 'sign_off'])
  })

  it('a snapshot that already has the step shows it the same way', () => {
    const shown = shownTicket([queued('set_off')], ticketCard({ status: 'en_route', allowed_actions: ['check_in', 'turn_back'] }))
    expect([shown.status, shown.allowed_actions]).toEqual(['en_route', ['check_in', 'turn_back']])
  })

  it('a refused command changes nothing', () => {
    expect(shownTicket([queued('set_off', { refused: problem('action_not_allowed') })]).status).toBe('assigned')
  })

  it('an acceptance is shown as asked for, never as won', () => {
    const offer = { ...ticketCard(), kind: 'offer', offer_id: 'o', allowed_actions: ['accept_offer'] } as unknown as OfferCard
    const shown = overlay({ ...todayOf([]), offers: [offer] }, [queued('accept_offer')])
    expect(shown.tickets).toEqual([])
    expect([shown.offers[0]?.queued, shown.offers[0]?.allowed_actions]).toEqual([['accept_offer'], []])
  })

  it('the ticket one is at comes before the one that is next', () => {
    const tickets = overlay(
      todayOf([ticketCard({ ticket_id: 'a' }), ticketCard({ ticket_id: 'b', status: 'on_site' }), ticketCard({ ticket_id: 'c', status: 'closed' })]), [],
    ).tickets
    expect(nextTicket(tickets)?.ticket_id).toBe('b')
  })

  it('a new ticket is to be seen before it is set off for', () => {
    const fresh = ticketCard({ acknowledged: false, allowed_actions: ['acknowledge', 'set_off'] })
    expect(mainAction(fresh)).toBe('acknowledge')
    expect(mainAction(shownTicket([queued('acknowledge')], fresh))).toBe('set_off')
  })
})
