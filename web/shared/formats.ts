/** Times, lengths and ages as text. Times are shown in a named zone: that of the site, not of the screen. */

import { common } from './messages/common'
import { fill, pick, type Facts, type Language } from './words'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

function say(key: keyof typeof common, language: Language, facts: Facts = {}): string {
  return fill(pick(common[key], language), facts)
}

const locale = (language: Language): string => (language === 'zh' ? 'zh-CN' : 'en-GB')

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatter(locale: string, zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${locale}|${zone}|${JSON.stringify(options)}`
  let found = formatters.get(key)
  if (!found) formatters.set(key, (found = new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })))
  return found
}

interface WallParts {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

function wallParts(ms: number, zone: string): WallParts {
  const parts = formatter('en-US-u-ca-gregory-nu-latn', zone, {
    year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23',
  }).formatToParts(ms)
  const value = (type: string): number => Number(parts.find((part) => part.type === type)?.value ?? 0)
  return { year: value('year'), month: value('month'), day: value('day'), hour: value('hour'), minute: value('minute'), second: value('second') }
}

/** Milliseconds the zone's wall clock is ahead of UTC at this instant. */
function offsetMs(ms: number, zone: string): number {
  const w = wallParts(ms, zone)
  return Date.UTC(w.year, w.month - 1, w.day, w.hour, w.minute, w.second) - Math.floor(ms / 1_000) * 1_000
}

const two = (n: number): string => String(n).padStart(2, '0')

/** The value of a `datetime-local` input for an instant: `2026-03-08T14:05` on the zone's wall clock. */
export function instantToWall(at: string | number, zone: string): string {
  const w = wallParts(new Date(at).getTime(), zone)
  return `${w.year}-${two(w.month)}-${two(w.day)}T${two(w.hour)}:${two(w.minute)}`
}

/**
 * The instant of a wall-clock value, ISO 8601 in UTC, or null when it is not one. A time that daylight
 * saving skips is read as one hour later, a doubled one as the first of the two.
 */
export function wallToInstant(wall: string, zone: string): string | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(wall)) return null
  const asUtc = Date.parse(`${wall.slice(0, 16)}:00Z`)
  if (Number.isNaN(asUtc)) return null
  const candidates = [offsetMs(asUtc - DAY_MS, zone), offsetMs(asUtc + DAY_MS, zone)]
  const exact = candidates.map((offset) => asUtc - offset).filter((ms) => instantToWall(ms, zone) === wall.slice(0, 16))
  const ms = exact.length ? Math.min(...exact) : asUtc - Math.min(...candidates)
  return new Date(ms).toISOString()
}

/** "14:05". */
export function clockTime(at: string | number, zone: string): string {
  return instantToWall(at, zone).slice(11)
}

/** "Today", "Tomorrow", else "Tue 3 Nov" or "11月3日周二", as a calendar on the zone's wall says. */
export function dayName(at: string | number, zone: string, now: number, language: Language): string {
  const day = (ms: number): number => {
    const w = wallParts(ms, zone)
    return Date.UTC(w.year, w.month - 1, w.day) / DAY_MS
  }
  const days = day(new Date(at).getTime()) - day(now)
  if (days === 0) return say('day_today', language)
  if (days === 1) return say('day_tomorrow', language)
  if (days === -1) return say('day_yesterday', language)
  return formatter(locale(language), zone, { month: 'short', day: 'numeric', weekday: 'short' }).format(new Date(at))
}

/** "14:05" on the same day, else with the day before it. */
export function dayTime(at: string | number, zone: string, now: number, language: Language): string {
  const day = dayName(at, zone, now, language)
  return day === say('day_today', language) ? clockTime(at, zone) : `${day} ${clockTime(at, zone)}`
}

/** "Today 14:00–16:00"; both days are named when they differ. */
export function windowText(start: string, end: string, zone: string, now: number, language: Language): string {
  const first = dayName(start, zone, now, language)
  const last = dayName(end, zone, now, language)
  const from = `${first} ${clockTime(start, zone)}`
  return first === last ? `${from}–${clockTime(end, zone)}` : `${from} – ${last} ${clockTime(end, zone)}`
}

/** A length of time in its two largest units: "45 min", "2 h 5 min", "3 d 4 h". Never negative. */
export function durationText(ms: number, language: Language): string {
  const minutes = Math.floor(Math.max(0, ms) / MINUTE_MS)
  const h = Math.floor(minutes / 60)
  const m = minutes % 60
  const d = Math.floor(h / 24)
  if (d > 0) return h % 24 ? say('days_hours', language, { d, h: h % 24 }) : say('days', language, { d })
  if (h === 0) return say('minutes', language, { n: m })
  return m ? say('hours_minutes', language, { h, m }) : say('hours', language, { h })
}

/** How long ago: "just now", "40 s ago", "5 min ago". */
export function ageText(ms: number, language: Language): string {
  const seconds = Math.max(0, Math.round(ms / 1_000))
  if (seconds < 5) return say('just_now', language)
  if (seconds < 60) return say('seconds_ago', language, { n: seconds })
  return say('ago', language, { time: durationText(ms, language) })
}

/** Time until `at`: "45 min left", or "20 min late" once it has passed. */
export function dueText(at: string, now: number, language: Language): string {
  const ms = Date.parse(at) - now
  return ms >= 0
    ? say('left', language, { time: durationText(ms, language) })
    : say('late', language, { time: durationText(-ms, language) })
}

/** "4:05", or "1:02:09" from an hour on. Zero when it has passed. */
export function countdown(ms: number): string {
  const s = Math.max(0, Math.ceil(ms / 1_000))
  const h = Math.floor(s / 3_600)
  const m = Math.floor((s % 3_600) / 60)
  return h ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`
}

/** "850 m", "3.4 km", "12 km". */
export function distanceText(metres: number, language: Language): string {
  if (metres < 995) return say('metres', language, { n: Math.round(metres / 10) * 10 })
  return say('kilometres', language, { n: (metres / 1_000).toFixed(metres < 9_950 ? 1 : 0) })
}

/** An amount in minor units, written with its currency: 12850, "CNY" → "¥128.50". */
export function moneyText(minor: number, currency: string, language: Language): string {
  const format = new Intl.NumberFormat(locale(language), { style: 'currency', currency, currencyDisplay: 'narrowSymbol' })
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2))
}
