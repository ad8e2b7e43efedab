/** Words and figures in the engineer's language. Reading them inside a component follows the language switch. */

import { signal } from '@preact/signals'
import type { common } from '../../../shared/messages/common'
import type { phone } from '../../../shared/messages/phone'
import { fill, readable, type Facts } from '../../../shared/words'
import { minorDigits } from './money'
import { language, now } from './state'
import type { EngineerCard, Language, Problem, Texts } from './wire'

export type Key = keyof typeof phone | keyof typeof common
type Book = Record<string, string>

const book = signal<Book>({})

type Shelf = Record<Language, () => Promise<{ default: Book }>>

/** Each language is a file of its own, so that a phone fetches one and keeps both; the day's words come first. */
const BOOKS: Shelf = {
  zh: () => import('virtual:words-zh'),
  en: () => import('virtual:words-en'),
}
const RESTS: Shelf = {
  zh: () => import('virtual:words-zh-rest'),
  en: () => import('virtual:words-en-rest'),
}
let all = false

/** Switches the page to a language. Throws when its words cannot be fetched. */
export async function speak(wanted: Language): Promise<void> {
  const shelves = all ? [BOOKS, RESTS] : [BOOKS]
  const read = await Promise.all(shelves.map((shelf) => shelf[wanted]()))
  book.value = Object.assign({}, ...read.map((part) => part.default)) as Book
  language.value = wanted
  document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en'
}

/** The words of every other screen and sheet; whoever shows one waits for this. */
export async function allWords(): Promise<void> {
  if (all) return
  all = true
  try {
    await speak(language.value)
  } catch (error) {
    all = false
    throw error
  }
}

/** The text for a key, `{name}` filled in. */
export function t(key: Key, values: Facts = {}): string {
  return fill(book.value[key] ?? key, values)
}

/** The label of a code of the server, such as ("status", "on_site"); a code unknown here shows as plain words. */
export function label(kind: string, code: string): string {
  return book.value[`${kind}_${code}`] ?? readable(code)
}

/** Why the server said no, in the engineer's words. */
export function problemText({ code, facts, trace_id }: Problem): string {
  const { action, status, missing, fields } = facts
  const listed = (kind: string, codes: unknown) => (Array.isArray(codes) ? codes.map((one) => label(kind, String(one))).join(', ') : undefined)
  const said: Facts = {
    ...facts, code, trace_id,
    action: typeof action === 'string' ? label('action', action) : undefined,
    status: typeof status === 'string' ? label('status', status) : undefined,
    missing: listed('need', missing),
    fields: Array.isArray(fields) ? fields.map(String).join(', ') : undefined,
  }
  const photo = code.startsWith('photo_') ? book.value['problem_photo'] : undefined
  return fill(book.value[`problem_${code}`] ?? photo ?? book.value['problem_unexpected'] ?? code, said)
}

/** The tenant's own text. */
export function own(texts: Texts): string {
  return texts[language.value] || texts.zh || texts.en
}

const locale = (): string => (language.value === 'zh' ? 'zh-CN' : 'en-GB')

export function clockTime(at: string | number): string {
  return new Intl.DateTimeFormat(locale(), { hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(at))
}

/** Day and time in full, for what did not happen today. */
export function longTime(at: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', hour12: false }).format(new Date(at))
}

const DAY_MS = 86_400_000

/** "Today", "Tomorrow", else the date; the phone's own zone, as the engineer's watch shows it. */
export function dayName(at: string): string {
  const start = (ms: number) => new Date(ms).setHours(0, 0, 0, 0)
  const days = Math.round((start(Date.parse(at)) - start(now.value)) / DAY_MS)
  if (days === 0) return t('day_today')
  if (days === 1) return t('day_tomorrow')
  if (days === -1) return t('day_yesterday')
  return new Intl.DateTimeFormat(locale(), { month: 'short', day: 'numeric', weekday: 'short' }).format(new Date(at))
}

export function dayTime(at: string): string {
  const day = dayName(at)
  return day === t('day_today') ? clockTime(at) : `${day} ${clockTime(at)}`
}

export function timeSpan(start: string, end: string): string {
  return `${clockTime(start)}–${clockTime(end)}`
}

/** The shift under way, else the next one. */
export function shiftText({ on_shift, shift_from, shift_to }: EngineerCard): string {
  if (!shift_from || !shift_to) return t('off_shift')
  if (!on_shift) return t('next_shift', { time: dayTime(shift_from) })
  return t('shift', { from: clockTime(shift_from), to: clockTime(shift_to) })
}

export function minutesText(minutes: number): string {
  const h = Math.floor(minutes / 60)
  const m = Math.round(minutes % 60)
  if (h === 0) return t('minutes', { n: m })
  return m === 0 ? t('hours', { h }) : t('hours_minutes', { h, m })
}

export function distanceText(metres: number): string {
  if (metres < 1_000) return t('metres', { n: Math.round(metres / 10) * 10 })
  return t('kilometres', { n: (metres / 1_000).toFixed(metres < 10_000 ? 1 : 0) })
}

export function ageText(seconds: number): string {
  if (seconds < 5) return t('just_now')
  if (seconds < 90) return t('seconds_ago', { n: Math.round(seconds) })
  return t('minutes_ago', { n: Math.round(seconds / 60) })
}

/** "4:05", or "1:02:09" from an hour on. */
export function countdown(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds))
  const pad = (n: number) => String(n).padStart(2, '0')
  const h = Math.floor(s / 3600)
  const m = Math.floor((s % 3600) / 60)
  return h ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`
}

export function moneyText(minor: number, currency: string): string {
  return new Intl.NumberFormat(locale(), { style: 'currency', currency }).format(minor / 10 ** minorDigits(currency))
}
