/** Amounts, codes and hours as forms write them. */

import { wallToInstant } from '../../../shared/formats'

const DAY_MS = 86_400_000

/** "12.50" → 1250, with no float in between; null for anything that is no amount. */
export function minorOf(text: string): number | null {
  const found = /^(\d{1,10})(?:[.,](\d{1,2}))?$/.exec(text.trim())
  return found ? Number(found[1]! + (found[2] ?? '').padEnd(2, '0')) : null
}

export const majorText = (minor: number): string => (minor / 100).toFixed(2)

/** Patterns of inputs. */
export const AMOUNT = '[0-9]{1,10}([.,][0-9]{1,2})?'
export const CODE = '[a-z0-9_]{1,40}'

/** The same hours on each of the next days, by the company's clock. */
export function spansFrom(day: string, days: number, start: string, end: string, zone: string): { starts_at: string; ends_at: string }[] {
  const first = Date.parse(`${day}T12:00Z`)
  return [...Array(days).keys()].map((n) => {
    const dayOf = (more: number): string => new Date(first + (n + more) * DAY_MS).toISOString().slice(0, 10)
    const starts_at = wallToInstant(`${dayOf(0)}T${start}`, zone)
    const ends_at = wallToInstant(`${dayOf(end > start ? 0 : 1)}T${end}`, zone)
    return { starts_at: starts_at ?? '', ends_at: ends_at ?? '' }
  })
}
