/** How the board's picture changes: pure steps from one picture to the next. */

import type { Board, BoardEngineer, BoardTicket, Uuid } from './wire'

export type QueueView = 'attention' | 'active' | 'open' | 'offered' | 'under_way' | 'awaiting_acceptance' | 'on_hold' | 'closed'
export type QueueOrder = 'urgency' | 'due' | 'newest'

export const QUEUE_VIEWS: readonly QueueView[] = ['attention', 'active', 'open', 'offered', 'under_way', 'awaiting_acceptance', 'on_hold', 'closed']

/** The statuses a view shows; null for those that are not a list of statuses. */
export const VIEW_STATUSES: Record<QueueView, readonly string[] | null> = {
  attention: null,
  active: null,
  open: ['open'],
  offered: ['offered'],
  under_way: ['assigned', 'en_route', 'on_site'],
  awaiting_acceptance: ['awaiting_acceptance'],
  on_hold: ['on_hold'],
  closed: ['closed', 'cancelled'],
}

export const FINAL: ReadonlySet<string> = new Set(['closed', 'cancelled'])

/** How many tickets a view holds by the board's counts; null where the board does not count. */
export function viewCount(view: QueueView, board: Pick<Board, 'counts' | 'attention_count'>): number | null {
  if (view === 'attention') return board.attention_count
  const statuses = VIEW_STATUSES[view]
  if (view === 'closed') return null
  return board.counts
    .filter(({ status }) => (statuses ? statuses.includes(status) : !FINAL.has(status)))
    .reduce((sum, { count }) => sum + count, 0)
}

/** Whether a ticket belongs to a view; the search text is the server's business. */
export function inView(view: QueueView, ticket: BoardTicket): boolean {
  if (view === 'attention') return ticket.attention !== null
  if (view === 'active') return !FINAL.has(ticket.status)
  return VIEW_STATUSES[view]!.includes(ticket.status)
}

/** `fresh` laid over `known`, by ticket; an older version never replaces a newer one. */
export function mergeTickets(known: ReadonlyMap<Uuid, BoardTicket>, fresh: readonly BoardTicket[]): Map<Uuid, BoardTicket> {
  const merged = new Map(known)
  for (const ticket of fresh) {
    const before = merged.get(ticket.ticket_id)
    if (!before || ticket.version >= before.version) merged.set(ticket.ticket_id, ticket)
  }
  return merged
}

/** Without the tickets that ended and without those nobody shows, so that a long day does not grow the page. */
export function keepLive(tickets: ReadonlyMap<Uuid, BoardTicket>, shown: ReadonlySet<Uuid>): Map<Uuid, BoardTicket> {
  return new Map([...tickets].filter(([id, ticket]) => shown.has(id) || !FINAL.has(ticket.status)))
}

export interface PositionNews {
  engineer_id: Uuid
  lon: number
  lat: number
  at: string
}

/** Engineers with newer positions; a position older than the one known is passed over. */
export function movePositions(engineers: readonly BoardEngineer[], news: readonly PositionNews[]): BoardEngineer[] {
  const byId = new Map(news.map((one) => [one.engineer_id, one]))
  return engineers.map((engineer) => {
    const one = byId.get(engineer.engineer_id)
    if (!one || (engineer.position_at && Date.parse(one.at) <= Date.parse(engineer.position_at))) return engineer
    return { ...engineer, position: { lon: one.lon, lat: one.lat, datum: 'wgs84' }, position_at: one.at }
  })
}

const PRIORITY_RANK = { urgent: 0, high: 1, normal: 2, low: 3 } as const

/** Somebody else's turn: however urgent, they come below what is still to be reached. */
const RESTING: ReadonlySet<string> = new Set(['awaiting_acceptance', 'on_hold'])

/** Tickets in the order a dispatcher reads them. Ties fall to the older ticket, then to its number. */
export function orderQueue(tickets: readonly BoardTicket[], order: QueueOrder): BoardTicket[] {
  const due = (t: BoardTicket): number => Date.parse(t.due_at ?? t.window?.end ?? '9999-12-31T00:00:00Z')
  const created = (t: BoardTicket): number => Date.parse(t.created_at)
  const ranks: Record<QueueOrder, (t: BoardTicket) => number[]> = {
    urgency: (t) => [t.attention ? 0 : RESTING.has(t.status) ? 2 : 1, PRIORITY_RANK[t.priority], due(t), created(t)],
    due: (t) => [due(t), created(t)],
    newest: (t) => [-created(t)],
  }
  const keyed = tickets.map((ticket) => ({ ticket, rank: ranks[order](ticket) }))
  keyed.sort((a, b) => {
    for (const [i, value] of a.rank.entries()) if (value !== b.rank[i]) return value - b.rank[i]!
    return a.ticket.ticket_no.localeCompare(b.ticket.ticket_no)
  })
  return keyed.map(({ ticket }) => ticket)
}

/** The id `step` places from `selected`; the first when nothing is selected, the end stays the end. */
export function neighbour(ids: readonly Uuid[], selected: Uuid | null, step: 1 | -1): Uuid | null {
  if (!ids.length) return null
  const at = selected ? ids.indexOf(selected) : -1
  if (at < 0) return ids[0]!
  return ids[Math.min(ids.length - 1, Math.max(0, at + step))]!
}

/** A few characters for a marker: the number a name ends with and its letter, the last two of a Chinese name, the initials of another. What stands in brackets is no part of it. */
export function initials(name: string): string {
  const plain = name.replaceAll(/[（(][^）)]*[）)]/g, ' ').trim() || name
  const number = /[A-Z]?\d{1,3}$/.exec(plain)
  if (number) return number[0]
  if (/\p{Script=Han}/u.test(plain)) return [...plain.replaceAll(/[^\p{Script=Han}]/gu, '')].slice(-2).join('')
  const words = plain.split(/[\s.-]+/).filter(Boolean)
  if (words.length > 1) return `${words[0]![0]!}${words.at(-1)![0]!}`.toUpperCase()
  return plain.slice(0, 2)
}
