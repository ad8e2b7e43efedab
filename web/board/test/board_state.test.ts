import { describe, expect, test } from 'vitest'
import { initials, inView, keepLive, mergeTickets, movePositions, neighbour, orderQueue, viewCount } from '../src/board_state'
import { engineer, ticket } from './builders'

const map = (...tickets: ReturnType<typeof ticket>[]) => new Map(tickets.map((one) => [one.ticket_id, one]))

describe('tickets', () => {
  test('an older version never replaces a newer one', () => {
    const merged = mergeTickets(map(ticket({ version: 5, status: 'on_site' })), [ticket({ version: 4, status: 'assigned' })])
    expect([...merged.values()][0]!.status).toBe('on_site')
  })
  test('the same version is taken: the server knows derived facts better', () => {
    const merged = mergeTickets(map(ticket({ offers_pending: 0 })), [ticket({ offers_pending: 2 })])
    expect([...merged.values()][0]!.offers_pending).toBe(2)
  })
  test('what ended leaves the page, but for what is shown', () => {
    const kept = keepLive(map(ticket({ ticket_id: 'a', status: 'closed' }), ticket({ ticket_id: 'b', status: 'closed' }), ticket({ ticket_id: 'c' })), new Set(['b']))
    expect([...kept.keys()]).toEqual(['b', 'c'])
  })
})

describe('the queue', () => {
  test('attention first, then urgency, then the due time; what waits for others last', () => {
    const order = orderQueue([
      ticket({ ticket_no: 'plain' }),
      ticket({ ticket_no: 'urgent, done', priority: 'urgent', status: 'awaiting_acceptance' }),
      ticket({ ticket_no: 'urgent late', priority: 'urgent', due_at: '2026-11-22T18:00:00Z' }),
      ticket({ ticket_no: 'urgent soon', priority: 'urgent', due_at: '2026-11-22T09:00:00Z' }),
      ticket({ ticket_no: 'needs you', attention: 'no_candidate', priority: 'low' }),
    ], 'urgency')
    expect(order.map((one) => one.ticket_no)).toEqual(['needs you', 'urgent soon', 'urgent late', 'plain', 'urgent, done'])
  })
  test('by due time, the window’s end stands in, and nothing due comes last', () => {
    const order = orderQueue([
      ticket({ ticket_no: 'never' }),
      ticket({ ticket_no: 'window', window: { start: '2026-11-22T08:00:00Z', end: '2026-11-22T10:00:00Z' } }),
      ticket({ ticket_no: 'due', due_at: '2026-11-22T09:00:00Z' }),
    ], 'due')
    expect(order.map((one) => one.ticket_no)).toEqual(['due', 'window', 'never'])
  })
  test('views count what the board counts and hold what they say', () => {
    const board = { attention_count: 3, counts: [{ status: 'open', count: 4 }, { status: 'assigned', count: 2 }, { status: 'on_site', count: 1 }] }
    expect(viewCount('active', board)).toBe(7)
    expect(viewCount('under_way', board)).toBe(3)
    expect(viewCount('attention', board)).toBe(3)
    expect(viewCount('closed', board)).toBeNull()
    expect(inView('under_way', ticket({ status: 'en_route' }))).toBe(true)
    expect(inView('active', ticket({ status: 'cancelled' }))).toBe(false)
    expect(inView('attention', ticket({ attention: 'urged' }))).toBe(true)
  })
  test('arrow keys stop at both ends and begin at the top', () => {
    expect(neighbour(['a', 'b'], null, 1)).toBe('a')
    expect(neighbour(['a', 'b'], 'b', 1)).toBe('b')
    expect(neighbour(['a', 'b'], 'b', -1)).toBe('a')
    expect(neighbour([], 'a', 1)).toBeNull()
  })
})

describe('engineers', () => {
  test('a newer position moves, an older one does not', () => {
    const news = (at: string) => [{ engineer_id: 'ana', lon: 1, lat: 2, at }]
    expect(movePositions([engineer()], news('2026-11-22T08:01:00Z'))[0]!.position).toEqual({ lon: 1, lat: 2, datum: 'wgs84' })
    expect(movePositions([engineer()], news('2026-11-22T07:59:00Z'))[0]!.position!.lon).toBe(118.61)
  })
  test('a marker has two letters in either script', () => {
    expect(initials('欧阳秀英')).toBe('秀英')
    expect(initials('李 磊')).toBe('李磊')
    expect(initials('Ana María López')).toBe('AL')
    expect(initials('Ben')).toBe('Be')
    expect(initials('维修工 08')).toBe('08')
    expect(initials('Engineer 112')).toBe('112')
    expect(initials('王小明（学徒）')).toBe('小明')
    expect(initials('示例工程师（学徒）Demo Trainee T3')).toBe('T3')
    expect(initials('（学徒）')).toBe('学徒')
  })
})
