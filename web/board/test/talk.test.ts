import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { asRefused, DispatcherApi, Refused, uuid7 } from '../src/api'
import { serverTime, setClock } from '../src/clock'
import { eventReader, openLive } from '../src/live'
import { readRoute } from '../src/route'

const json = (status: number, body: unknown): Response => new Response(status === 204 ? null : JSON.stringify(body), { status })

describe('requests', () => {
  test('writing carries the token the sign-in gave, reading does not', async () => {
    const asked: [string, RequestInit][] = []
    const api = new DispatcherApi(async (url, init) => {
      asked.push([String(url), init!])
      return json(200, { csrf_token: 'secret', places: [] })
    })
    await api.me()
    await api.places('人民路 1')
    await api.act('t1', 'c1', 'note', { text: 'x' })
    const headers = asked.map(([, init]) => init.headers as Record<string, string>)
    expect(headers[1]!['X-CSRF-Token']).toBeUndefined()
    expect(headers[2]!['X-CSRF-Token']).toBe('secret')
    expect(asked[1]![0]).toBe('/dispatcher/v1/places?q=%E4%BA%BA%E6%B0%91%E8%B7%AF+1')
    expect(JSON.parse(String(asked[2]![1].body))).toEqual({ command_id: 'c1', action: 'note', facts: { text: 'x' } })
  })

  test('a problem keeps its code, facts and trace', async () => {
    const api = new DispatcherApi(async () => json(409, { code: 'action_not_allowed', facts: { status: 'closed' }, trace_id: 'abc' }))
    const refused = await api.ticket('x').then(() => null, (error: Refused) => error)
    expect([refused!.code, refused!.status, refused!.facts['status'], refused!.traceId]).toEqual(['action_not_allowed', 409, 'closed', 'abc'])
  })

  test('an answer that is no problem document is still a refusal', async () => {
    const api = new DispatcherApi(async () => new Response('<h1>Bad gateway</h1>', { status: 502 }))
    await expect(api.board()).rejects.toMatchObject({ code: 'internal', status: 502 })
  })

  test('silence ends after five seconds', async () => {
    vi.useFakeTimers()
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
      const controller = new AbortController()
      setTimeout(() => controller.abort(new DOMException('late', 'TimeoutError')), ms)
      return controller.signal
    })
    const api = new DispatcherApi((_url, init) => new Promise((_, refuse) => init!.signal!.addEventListener('abort', () => refuse(init!.signal!.reason))))
    const asked = expect(api.board()).rejects.toMatchObject({ code: 'timeout', status: 0 })
    await vi.advanceTimersByTimeAsync(5_000)
    await asked
    timeout.mockRestore()
    vi.useRealTimers()
  })

  test('no network is told apart from a silent server', () => {
    expect(asRefused(new TypeError('failed to fetch')).code).toBe('unreachable')
    expect(asRefused(new DOMException('', 'TimeoutError')).code).toBe('timeout')
  })

  test('ids sort by time', () => {
    expect(uuid7(1_000) < uuid7(2_000)).toBe(true)
    expect(uuid7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })
})

describe('live', () => {
  test('events come whole however the bytes are cut', () => {
    const heard: [string, unknown][] = []
    const read = eventReader((name, data) => heard.push([name, data]))
    const text = ': ping\r\n\r\nevent: changed\r\ndata: {"seq":1}\r\n\r\nevent: positions\ndata: {"positions":[]}\n\ndata: not json\n\n'
    for (const letter of text) read(letter)
    expect(heard).toEqual([['changed', { seq: 1 }], ['positions', { positions: [] }]])
  })

  describe('when the line breaks', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    test('it is opened again, and says so in between', async () => {
      const states: boolean[] = []
      let opened = 0
      const api = { live: async () => (opened++, new Response('event: hello\ndata: {}\n\n')) } as unknown as DispatcherApi
      const stop = openLive(api, { event: () => {}, connected: (up) => states.push(up), signedOut: () => {} })
      await vi.advanceTimersByTimeAsync(3_000)
      stop()
      expect(opened).toBeGreaterThan(2)
      expect(states.slice(0, 4)).toEqual([true, false, true, false])
    })

    test('a sign-in that ended is not knocked at again', async () => {
      let opened = 0
      let ended = 0
      const api = { live: async () => (opened++, new Response('', { status: 401 })) } as unknown as DispatcherApi
      openLive(api, { event: () => {}, connected: () => {}, signedOut: () => ended++ })
      await vi.advanceTimersByTimeAsync(60_000)
      expect([opened, ended]).toEqual([1, 1])
    })
  })
})

describe('the server’s clock', () => {
  test('an accelerated day is followed between two readings', () => {
    let clock = setClock(null, 1_000_000, 0)
    clock = setClock(clock, 1_000_000 + 20 * 5_000, 5_000)
    expect(clock.rate).toBe(20)
    expect(serverTime(clock, 6_000)).toBe(1_120_000)
  })
  test('a slow reply does not make an ordinary clock run', () => {
    let clock = setClock(null, 0, 0)
    clock = setClock(clock, 10_400, 10_000)
    expect(clock.rate).toBe(1)
  })
  test('a clock set back is believed', () => {
    const clock = setClock(setClock(null, 50_000, 0), 10_000, 10_000)
    expect(serverTime(clock, 11_000)).toBe(11_000)
  })
})

test('an address leads to its page, a broken one to the board', () => {
  const board = { page: 'board', ticketId: null, section: null }
  const id = '01a20533-d0cb-73a3-8d39-73621dd79038'
  expect(readRoute(`#/ticket/${id}`)).toEqual({ ...board, ticketId: id })
  expect(readRoute('#/engineers')).toEqual({ ...board, page: 'engineers' })
  expect(readRoute('#/settings/prices')).toEqual({ ...board, page: 'settings', section: 'prices' })
  expect(readRoute('#/ticket/<script>')).toEqual(board)
})
