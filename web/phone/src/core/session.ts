/** The sign-in as this phone keeps it, and how it gets its next token. */

import { Refused, type EngineerApi } from './api'
import type { PhoneDb } from './db'
import type { Lock } from './outbox'
import type { Session } from './state'
import type { SignedIn } from './wire'

const LOCK = 'paidan-session'

export function sessionOf({ access_token, refresh_token, engineer_id, name, language }: SignedIn): Session {
  return { access_token, refresh_token: refresh_token ?? null, engineer_id, name, language }
}

/** This phone's own secret, made once; refresh tokens are worth nothing without it. */
export async function deviceId(db: PhoneDb): Promise<string> {
  const known = (await db.get('kept', 'device_id')) as string | undefined
  if (known) return known
  const made = Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) => byte.toString(16).padStart(2, '0')).join('')
  await db.put('kept', made, 'device_id')
  return made
}

/**
 * A fresh token in place of `spent`, one tab at a time: whoever waited finds it there. False when the sign-in has
 * ended. Throws Unreachable when there is no answer: the old refresh token stays, and works again for a minute.
 */
export function renewSession(db: PhoneDb, api: EngineerApi, lock: Lock, spent: string, changed: () => Promise<void>): Promise<boolean> {
  return lock(LOCK, async () => {
    const session = (await db.get('kept', 'session')) as Session | undefined
    if (!session) return false
    if (session.access_token === spent) {
      if (!session.refresh_token) return false
      try {
        await db.put('kept', sessionOf(await api.refresh(session.refresh_token, await deviceId(db))), 'session')
      } catch (error) {
        if (error instanceof Refused) return false
        throw error
      }
    }
    await changed()
    return true
  })
}
