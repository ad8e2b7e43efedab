/** What the page shows, as signals; `app.ts` is the only writer. */

import { computed, signal } from '@preact/signals'
import { serverTime, type ServerClock } from './clock'
import type { Queue } from './outbox'
import { overlay } from './overlay'
import type { Language, PositionReading, Today } from './wire'

export interface Session {
  access_token: string
  refresh_token?: string | null
  engineer_id: string
  name: string
  /** The account's language; a choice made on this phone goes before it. */
  language: Language
}

/** `waiting`: nothing heard yet; `unreachable`: the phone says it has a network, the server does not answer. */
export type Reach = 'waiting' | 'online' | 'offline' | 'unreachable'

/** Where the phone was, by its own clock; the server's time of it is worked out when it is used. */
export interface Fix extends Omit<PositionReading, 'at'> {
  deviceMs: number
}

export type PositionProblem = 'denied' | 'unavailable' | null

export const session = signal<Session | null>(null)
/** The sign-in has ended while there may be a queue: ask again, lose nothing. */
export const expired = signal(false)
export const started = signal<'no' | 'yes' | 'no_storage'>('no')
export const today = signal<Today | null>(null)
export const queue = signal<Queue>({ commands: [], photos: [] })
export const reach = signal<Reach>('waiting')
export const live = signal(false)
export const sending = signal(false)
export const clock = signal<ServerClock | null>(null)
export const deviceNow = signal(Date.now())
export const visible = signal(true)
export const language = signal<Language>('zh')
/** False: the system may clear the queue when storage runs short; null: not asked yet. */
export const keepsStorage = signal<boolean | null>(null)
export const position = signal<Fix | null>(null)
export const positionProblem = signal<PositionProblem>(null)
export const notice = signal<{ text: string; bad: boolean } | null>(null)
export const newVersion = signal<(() => void) | null>(null)

/** Server time in milliseconds, moving once a second. */
export const now = computed(() => serverTime(clock.value, deviceNow.value))
export const waitingCommands = computed(() => queue.value.commands.filter((command) => !command.refused))
export const refusedCommands = computed(() => queue.value.commands.filter((command) => command.refused))
/** Photos whose command is through but which are still on this phone, or were refused after it. */
export const latePhotos = computed(() => {
  const owned = new Set(queue.value.commands.map((command) => command.command_id))
  return queue.value.photos.filter((photo) => photo.command_id && !owned.has(photo.command_id))
})
export const shown = computed(() => today.value && overlay(today.value, waitingCommands.value))

