/** Where the phone is: the latest reading for the sheets, and one reading every 30 s for the board while on shift. */

import { Refused, type EngineerApi } from './api'
import type { PhoneDb } from './db'
import type { PositionReading, Site } from './wire'

export const KEEP_AT_MOST = 500

/** Stores a reading; beyond 500 the oldest goes, since only the trail's end matters. */
export async function keepPosition(db: PhoneDb, engineerId: string, reading: PositionReading): Promise<void> {
  const tx = db.transaction('positions', 'readwrite')
  await tx.store.add({ ...reading, engineer_id: engineerId })
  const surplus = (await tx.store.count()) - KEEP_AT_MOST
  if (surplus > 0) for (const key of await tx.store.getAllKeys(undefined, surplus)) await tx.store.delete(key)
  await tx.done
}

/** Sends what is kept and forgets it; a batch the server refuses outright is dropped, it would be refused again. */
export async function sendPositions(db: PhoneDb, api: EngineerApi, engineerId: string): Promise<void> {
  const keys = await db.getAllKeys('positions', undefined, KEEP_AT_MOST)
  const rows = await db.getAll('positions', undefined, KEEP_AT_MOST)
  const mine = rows.filter((row) => row.engineer_id === engineerId).map(({ engineer_id: _own, ...reading }) => reading)
  if (mine.length === 0) return
  try {
    await api.sendPositions(mine)
  } catch (error) {
    if (!(error instanceof Refused)) throw error
  }
  const tx = db.transaction('positions', 'readwrite')
  for (const [i, key] of keys.entries()) if (rows[i]?.engineer_id === engineerId) await tx.store.delete(key)
  await tx.done
}

const EARTH_M = 6_371_008.8

/** Great-circle metres between two WGS-84 places (haversine). */
export function distanceM(a: Site, b: Site): number {
  const rad = Math.PI / 180
  const h =
    Math.sin(((b.lat - a.lat) * rad) / 2) ** 2 +
    Math.cos(a.lat * rad) * Math.cos(b.lat * rad) * Math.sin(((b.lon - a.lon) * rad) / 2) ** 2
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)))
}
