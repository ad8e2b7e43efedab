import { describe, expect, it } from 'vitest'
import { engineerApi, Refused, SignedOut, Unreachable, type EngineerApi } from '../src/core/api'
import { deviceId, renewSession } from '../src/core/session'
import type { Session } from '../src/core/state'
import type { SignedIn } from '../src/core/wire'
import { openPhoneDb } from '../src/core/db'
import { ANA, freshDatabase, oneAtATime, problem } from './fakes'

const signed = (n: number): SignedIn => ({
  access_token: `access-${n}`, refresh_token: `refresh-${n}`, expires_at: '', engineer_id: ANA, name: 'Ana', language: 'en',
})

async function phone(refresh: EngineerApi['refresh']) {
  const db = await openPhoneDb(freshDatabase())
  await db.put('kept', signed(1), 'session')
  const lock = oneAtATime()
  const api = { refresh } as unknown as EngineerApi
  const renew = (spent: string) => renewSession(db, api, lock, spent, async () => undefined)
  return { db, renew, session: async () => (await db.get('kept', 'session')) as Session }
}

describe('a spent token', () => {
  it('is renewed once, however many calls find it spent at the same time', async () => {
    const asked: string[] = []
    const ana = await phone(async (token) => (asked.push(token), signed(2)))
    expect(await Promise.all([ana.renew('access-1'), ana.renew('access-1'), ana.renew('access-1')])).toEqual([true, true, true])
    expect(asked).toEqual(['refresh-1'])
    expect((await ana.session()).refresh_token).toBe('refresh-2')
  })

  it('stays where there is no answer, so that the same refresh goes out again', async () => {
    const ana = await phone(async () => Promise.reject(new Unreachable('cut')))
    await expect(ana.renew('access-1')).rejects.toThrow(Unreachable)
    expect((await ana.session()).refresh_token).toBe('refresh-1')
  })

  it('means a new sign-in where the family has ended', async () => {
    const ana = await phone(async () => Promise.reject(new Refused(problem('signin_ended', 401))))
    expect(await ana.renew('access-1')).toBe(false)
  })

  it('goes with the same device secret each time', async () => {
    const db = await openPhoneDb(freshDatabase())
    expect(await deviceId(db)).toBe(await deviceId(db))
    expect(await deviceId(db)).toMatch(/^[0-9a-f]{48}$/)
  })
})

describe('a call whose token has run out', () => {
  const reply = (status: number, body: unknown) => new Response(JSON.stringify(body), { status })

  function server(good: () => string) {
    const seen: (string | null)[] = []
    const fetcher = (async (_url: unknown, init?: RequestInit) => {
      const bearer = new Headers(init?.headers).get('Authorization')
      seen.push(bearer)
      return bearer === `Bearer ${good()}` ? reply(200, { items: [] }) : reply(401, problem('token_expired', 401))
    }) as typeof fetch
    return { seen, fetcher }
  }

  it('is made again with the next one, and nobody above notices', async () => {
    let token = 'old'
    const { seen, fetcher } = server(() => 'new')
    const api = engineerApi(() => token, fetcher, async () => ((token = 'new'), true))
    expect(await api.sendCommands([])).toEqual({ items: [] })
    expect(seen).toEqual(['Bearer old', 'Bearer new'])
  })

  it('ends in signing in when there is no next one, and is tried no third time', async () => {
    const { seen, fetcher } = server(() => 'never')
    await expect(engineerApi(() => 'old', fetcher, async () => false).sendCommands([])).rejects.toThrow(SignedOut)
    await expect(engineerApi(() => 'old', fetcher, async () => true).sendCommands([])).rejects.toThrow(SignedOut)
    expect(seen).toHaveLength(3)
  })
})
