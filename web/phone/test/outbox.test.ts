import { describe, expect, it } from 'vitest'
import { overlay } from '../src/core/overlay'
import { fakeServer, freshDatabase, oneAtATime, openTab, OTHER, photo, TICKET, todayOf } from './fakes'

const tap = (action: string, ticket = TICKET) => ({ ...ticket, action, at: '2026-11-22T08:00:00Z', facts: {} })

describe('the queue', () => {
  it('sends what was tapped offline in the order of the taps, as one batch', async () => {
    const server = fakeServer()
    server.up = false
    const outbox = await openTab(server, freshDatabase())
    for (const action of ['acknowledge', 'set_off', 'note']) await outbox.add(tap(action))
    await outbox.add(tap('acknowledge', OTHER))
    expect(await outbox.drain()).toBe('later')
    server.up = true
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['acknowledge ticket-1', 'set_off ticket-1', 'note ticket-1', 'acknowledge ticket-2'])
    expect(server.batches).toHaveLength(1)
    expect((await outbox.read()).commands).toEqual([])
  })

  it('survives a reload: another page on the same phone sends it', async () => {
    const server = fakeServer()
    const name = freshDatabase()
    server.up = false
    await (await openTab(server, name)).add(tap('set_off'))
    server.up = true
    const reloaded = await openTab(server, name)
    expect((await reloaded.read()).commands).toHaveLength(1)
    await reloaded.drain()
    expect(server.log).toEqual(['set_off ticket-1'])
  })

  it('sends the very same body again when the reply was lost, and it is applied once', async () => {
    const server = fakeServer()
    server.cutReplies = 2
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(tap('set_off'))
    expect(await outbox.drain()).toBe('later')
    expect(await outbox.drain()).toBe('later')
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['set_off ticket-1'])
    expect(new Set(server.batches.map((batch) => JSON.stringify(batch))).size).toBe(1)
  })

  it('is drained by one of two tabs, never by both', async () => {
    const server = fakeServer()
    const name = freshDatabase()
    const lock = oneAtATime()
    const [one, two] = [await openTab(server, name, { lock }), await openTab(server, name, { lock })]
    for (let i = 0; i < 5; i++) await (i % 2 ? one : two).add(tap('note'))
    await Promise.all([one.drain(), two.drain()])
    expect(server.batches.flat()).toHaveLength(5)
    expect(server.log).toHaveLength(5)
  })

  it('sends twice without the lock: the test above would notice', async () => {
    const server = fakeServer()
    const name = freshDatabase()
    const free = <T>(_name: string, work: () => Promise<T>) => work()
    const [one, two] = [await openTab(server, name, { lock: free }), await openTab(server, name, { lock: free })]
    await one.add(tap('note'))
    await Promise.all([one.drain(), two.drain()])
    expect(server.batches.flat().length).toBeGreaterThan(1)
  })

  it('keeps a refused command in sight with its reason until dismissed, and sends the rest', async () => {
    const server = fakeServer()
    server.answers['set_off'] = { status: 409, code: 'action_not_allowed' }
    const outbox = await openTab(server, freshDatabase())
    const id = await outbox.add(tap('set_off'))
    await outbox.add(tap('acknowledge', OTHER))
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['acknowledge ticket-2'])
    const [kept] = (await outbox.read()).commands
    expect(kept?.refused?.code).toBe('action_not_allowed')
    expect(await outbox.drain()).toBe('done')
    expect(server.batches).toHaveLength(1)
    await outbox.dismiss(id)
    expect((await outbox.read()).commands).toEqual([])
  })

  it('never dismisses a command that is only waiting', async () => {
    const outbox = await openTab(fakeServer(), freshDatabase())
    const id = await outbox.add(tap('set_off'))
    await outbox.dismiss(id)
    expect((await outbox.read()).commands).toHaveLength(1)
  })

  it('sends a refused command again under a new id, because the old one keeps its answer', async () => {
    const server = fakeServer()
    server.answers['set_off'] = { status: 409, code: 'action_not_allowed' }
    const outbox = await openTab(server, freshDatabase())
    const id = await outbox.add(tap('set_off'))
    await outbox.drain()
    server.answers = {}
    await outbox.retry(id)
    expect(await outbox.drain()).toBe('done')
    const sent = server.batches.flat().map((command) => command.command_id)
    expect(new Set(sent).size).toBe(2)
    expect(server.log).toEqual(['set_off ticket-1'])
  })

  it('stops at a sign-in that has ended and loses nothing', async () => {
    const server = fakeServer()
    server.signedIn = false
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(tap('set_off'))
    expect(await outbox.drain()).toBe('signed_out')
    server.signedIn = true
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['set_off ticket-1'])
  })

  it("never sends one engineer's taps under another's sign-in", async () => {
    const server = fakeServer()
    const name = freshDatabase()
    server.up = false
    await (await openTab(server, name)).add(tap('set_off'))
    server.up = true
    const ben = await openTab(server, name, { engineer: 'ben' })
    expect(await ben.drain()).toBe('done')
    expect(server.batches).toEqual([])
    expect((await (await openTab(server, name)).read()).commands).toHaveLength(1)
  })

  it('tries a step that makes the server fail a limited number of times, then shows it and lets the others pass', async () => {
    const server = fakeServer()
    server.answers['quote'] = { status: 500, code: 'internal' }
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(tap('quote'))
    await outbox.add(tap('acknowledge', OTHER))
    const ends: string[] = []
    for (let i = 0; i < 8; i++) ends.push(await outbox.drain())
    expect(ends.slice(0, 7)).toEqual(Array(7).fill('later'))
    await outbox.drain()
    const { commands } = await outbox.read()
    expect(commands.map((command) => [command.action, command.refused?.code])).toEqual([['quote', 'internal']])
    expect(server.log).toEqual(['acknowledge ticket-2'])
  })

  it('sends what followed a failing step of the same ticket again, under a new id', async () => {
    const server = fakeServer()
    server.answers = { check_in: { status: 500, code: 'internal' }, complete: { status: 409, code: 'action_not_allowed' } }
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(tap('check_in'))
    const id = await outbox.add(tap('complete'))
    expect(await outbox.drain()).toBe('later')
    const { commands } = await outbox.read()
    expect(commands.map((command) => command.refused)).toEqual([null, null])
    expect(commands[1]?.command_id).not.toBe(id)
    server.answers = {}
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['check_in ticket-1', 'complete ticket-1'])
  })
})

describe('photos in the queue', () => {
  it('go before the action that needs them when there is reception', async () => {
    const server = fakeServer()
    const outbox = await openTab(server, freshDatabase())
    const taken = photo()
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('check_in'), photo_ids: [taken.photo_id] })
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['photo check_in', 'check_in ticket-1'])
    expect(server.batches[0]?.[0]?.facts).toEqual({ photo_ids: [taken.photo_id] })
    expect((await outbox.read()).photos).toEqual([])
  })

  it('wait until the steps before their action are through', async () => {
    const server = fakeServer()
    server.up = false
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(tap('set_off'))
    const taken = photo()
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('check_in'), photo_ids: [taken.photo_id] })
    server.up = true
    await outbox.drain()
    expect(server.log).toEqual(['set_off ticket-1', 'photo check_in', 'check_in ticket-1'])
  })

  it('follow a check-in that went ahead with their hash, when only small messages get through', async () => {
    const server = fakeServer()
    server.photosUp = false
    const outbox = await openTab(server, freshDatabase())
    const taken = photo()
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('check_in'), photo_ids: [taken.photo_id] })
    expect(await outbox.drain()).toBe('later')
    expect(server.batches[0]?.[0]?.facts).toEqual({ photo_pending: [taken.sha256] })
    expect((await outbox.read()).photos).toHaveLength(1)
    server.photosUp = true
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['check_in ticket-1', 'photo check_in'])
    expect((await outbox.read()).photos).toEqual([])
  })

  it('are not promised as pending while nothing gets through at all', async () => {
    const server = fakeServer()
    server.up = false
    const outbox = await openTab(server, freshDatabase())
    const taken = photo()
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('check_in'), photo_ids: [taken.photo_id] })
    await outbox.drain()
    expect((await outbox.read()).commands[0]?.frozen).toBe(false)
    server.up = true
    await outbox.drain()
    expect(server.batches[0]?.[0]?.facts).toEqual({ photo_ids: [taken.photo_id] })
  })

  it('hold a step back that cannot go without them', async () => {
    const server = fakeServer()
    server.photosUp = false
    const outbox = await openTab(server, freshDatabase())
    const taken = photo('completion')
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('note'), photo_ids: [taken.photo_id] })
    expect(await outbox.drain()).toBe('later')
    expect(server.batches).toEqual([])
    server.photosUp = true
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['photo completion', 'note ticket-1'])
  })

  it('of a refused command stay on the phone as evidence, and go when it is dismissed', async () => {
    const server = fakeServer()
    server.answers['check_in'] = { status: 409, code: 'action_not_allowed' }
    const outbox = await openTab(server, freshDatabase())
    const taken = photo()
    await outbox.addPhoto(taken)
    const id = await outbox.add({ ...tap('check_in'), photo_ids: [taken.photo_id] })
    await outbox.drain()
    expect((await outbox.read()).photos.map((one) => one.photo_id)).toEqual([taken.photo_id])
    await outbox.dismiss(id)
    expect((await outbox.read()).photos).toEqual([])
  })

  it('of a command to be corrected become the sheet’s again', async () => {
    const server = fakeServer()
    server.answers['check_in'] = { status: 422, code: 'action_not_ready' }
    const outbox = await openTab(server, freshDatabase())
    const taken = photo()
    await outbox.addPhoto(taken)
    const id = await outbox.add({ ...tap('check_in'), photo_ids: [taken.photo_id] })
    await outbox.drain()
    await outbox.correct(id)
    const { commands, photos } = await outbox.read()
    expect(commands).toEqual([])
    expect(photos.map((one) => [one.photo_id, one.command_id, one.sent])).toEqual([[taken.photo_id, null, true]])
  })

  it('that the server refuses make a completion refused, with the photo’s reason', async () => {
    const server = fakeServer()
    server.photoStatus = 422
    const outbox = await openTab(server, freshDatabase())
    const taken = photo('completion')
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('complete'), photo_ids: [taken.photo_id] })
    expect(await outbox.drain()).toBe('done')
    expect((await outbox.read()).commands[0]?.refused?.code).toBe('photo_unreadable')
    expect(server.batches).toEqual([])
  })

  it('that make the server fail are given up after a limit, so that the queue moves on', async () => {
    const server = fakeServer()
    server.photoStatus = 500
    const outbox = await openTab(server, freshDatabase())
    const taken = photo('completion')
    await outbox.addPhoto(taken)
    await outbox.add({ ...tap('note'), photo_ids: [taken.photo_id] })
    await outbox.add(tap('acknowledge', OTHER))
    for (let i = 0; i < 9; i++) await outbox.drain()
    expect(server.log).toEqual(['acknowledge ticket-2'])
    expect((await outbox.read()).commands.map((command) => command.refused?.code)).toEqual(['no_answer'])
  })

  it('of a sheet that was never sent are dropped after a week, those of a queue never', async () => {
    const outbox = await openTab(fakeServer(), freshDatabase())
    const week = 7 * 86_400_000
    const [draft, kept] = [photo(), photo()]
    await outbox.addPhoto(draft)
    await outbox.addPhoto(kept)
    await outbox.add({ ...tap('check_in'), photo_ids: [kept.photo_id] })
    await outbox.dropOldDrafts(Date.now() + week - 60_000)
    expect((await outbox.read()).photos).toHaveLength(2)
    await outbox.dropOldDrafts(Date.now() + week + 60_000)
    expect((await outbox.read()).photos.map((one) => one.photo_id)).toEqual([kept.photo_id])
  })
})

describe('requests to the dispatchers', () => {
  const leave = { kind: 'leave' as const, wanted: { kind: 'leave' as const, starts_at: '2026-12-01T00:00:00Z', ends_at: '2026-12-02T00:00:00Z' } }
  const asked = { ticket_id: '', ticket_no: '', action: 'ask_request', at: '2026-11-22T08:00:00Z', facts: {}, request: leave }

  it('wait for a connection among the other taps, go in their turn, once though the reply was lost', async () => {
    const server = fakeServer()
    server.up = false
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(tap('set_off'))
    await outbox.add(asked)
    await outbox.add(tap('note'))
    expect(await outbox.drain()).toBe('later')
    server.up = true
    server.cutReplies = 2
    for (let i = 0; i < 2; i++) expect(await outbox.drain()).toBe('later')
    expect(await outbox.drain()).toBe('done')
    expect(server.log).toEqual(['set_off ticket-1', 'ask leave', 'note ticket-1'])
    expect((await outbox.read()).commands).toEqual([])
  })

  it('stay in sight when refused, and a withdrawal travels the same way', async () => {
    const server = fakeServer()
    server.answers['ask_request'] = { status: 422, code: 'request_out_of_range' }
    const outbox = await openTab(server, freshDatabase())
    await outbox.add(asked)
    await outbox.add({ ...asked, action: 'withdraw_request', request: { kind: 'leave', withdraw: 'r-1' } })
    expect(await outbox.drain()).toBe('done')
    expect((await outbox.read()).commands.map((one) => one.refused?.code)).toEqual(['request_out_of_range'])
    expect(server.log).toEqual(['withdraw r-1'])
  })

  it('are no steps of a ticket: nothing of it changes on the screen', () => {
    const command = { ...asked, ticket_id: TICKET.ticket_id, engineer_id: 'ana', command_id: 'c', photo_ids: [], frozen: false, tries: 0, refused: null }
    const [ticket] = overlay(todayOf(), [command]).tickets
    expect([ticket?.queued, ticket?.status]).toEqual([[], 'assigned'])
  })
})
