/** Ties queue, calls, clock and page together: load, send, sign in, sign out. */

import { batch } from '@preact/signals'
import { watchOffers } from './alerts'
import { engineerApi, Refused, SignedOut, Unreachable } from './api'
import { serverTime, setClock } from './clock'
import { openPhoneDb, type PhoneDb, type QueuedRequest } from './db'
import { openLive } from './live'
import { browserLock, Outbox } from './outbox'
import { keepPosition, sendPositions } from './positions'
import { registerPush } from './push'
import { deviceId, renewSession, sessionOf } from './session'
import * as state from './state'
import type { ActionFacts, Language, PositionReading, SignedIn, TicketDetail, Today } from './wire'
import { speak } from './words'

const POLL_MS = 30_000
const POSITION_EVERY_MS = 30_000
const STALE_S = 120
const RETRY_FIRST_MS = 2_000
const RETRY_LAST_MS = 60_000
const SETTLE_MS = 150
/** The second look measures how fast the server's clock runs. */
const SECOND_LOOK_MS = 5_000

export const api = engineerApi(() => state.session.value?.access_token ?? null, undefined, (spent) => renewSession(db, api, browserLock, spent, readKept))
let db: PhoneDb
export let outbox: Outbox
const tabs = new BroadcastChannel('paidan-phone')

export const serverIso = (deviceMs = Date.now()): string => new Date(serverTime(state.clock.value, deviceMs)).toISOString()

/** Reads what the phone kept, then starts everything that runs beside the page. A phone that keeps nothing is told so. */
export async function start(): Promise<void> {
  const spoken = navigator.language.startsWith('zh') ? 'zh' : 'en'
  try {
    db = await openPhoneDb()
  } catch (error) {
    console.error(error)
    await speak(spoken)
    state.started.value = 'no_storage'
    return
  }
  outbox = new Outbox({
    db, api, lock: browserLock, arrived,
    engineerId: () => state.session.value?.engineer_id ?? '',
    changed: async () => {
      await readKept()
      tabs.postMessage('changed')
    },
  })
  await readKept()
  const chosen = (await db.get('kept', 'language')) as Language | undefined
  await speak(chosen ?? state.session.value?.language ?? spoken)
  await outbox.dropOldDrafts(Date.now())
  state.started.value = 'yes'
  tabs.onmessage = () => void otherTabChanged()
  setInterval(() => document.hidden || (state.deviceNow.value = Date.now()), 1_000)
  setInterval(() => document.hidden || (!state.live.value && void load()), POLL_MS)
  setInterval(() => void trackPosition(), POSITION_EVERY_MS)
  addEventListener('online', wake)
  addEventListener('offline', () => (state.reach.value = 'offline'))
  document.addEventListener('visibilitychange', wake)
  watchOffers(api)
  if (state.session.value && !state.expired.value) begin()
}

async function readKept(): Promise<void> {
  const [session, today, clock, expired] = await Promise.all(['session', 'today', 'clock', 'expired'].map((key) => db.get('kept', key)))
  state.session.value = (session as state.Session | undefined) ?? null
  const queue = await outbox.read()
  batch(() => {
    state.expired.value = expired === true
    state.today.value = (today as Today | undefined) ?? null
    state.clock.value = (clock as typeof state.clock.value) ?? null
    state.queue.value = queue
  })
}

/** Another tab of this phone signed in, signed out, or moved the queue. */
async function otherTabChanged(): Promise<void> {
  await readKept()
  const signedIn = state.session.value !== null && !state.expired.value
  if (signedIn !== (line !== null)) wake()
}

function begin(): void {
  void sync().then(() => import('./stock')).then((stock) => stock.bring(api)).catch(() => undefined)
  setTimeout(() => void load(), SECOND_LOOK_MS)
  wake()
  watchPosition()
  void registerPush(api)
  void navigator.storage?.persist?.().then((granted) => (state.keepsStorage.value = granted))
}

let line: { stop: () => void } | null = null

/** The live line is open only while somebody looks; coming back pulls at once. */
function wake(): void {
  line?.stop()
  line = null
  state.live.value = false
  state.visible.value = !document.hidden
  if (document.hidden || !state.session.value || state.expired.value) return
  state.deviceNow.value = Date.now()
  missed = false
  const opened = openLive(api, { changed: () => soon(), connected: (up) => line === opened && connected(up), signedOut: () => void expire() })
  line = opened
  void sync()
}

/** While the line was gone nobody told of changes: once it is back, look. */
function connected(up: boolean): void {
  if (up && missed) soon()
  missed = !up
  state.live.value = up
}

let missed = false
let settling: ReturnType<typeof setTimeout> | undefined
function soon(): void {
  clearTimeout(settling)
  settling = setTimeout(() => void load(), SETTLE_MS)
}

async function arrived(today: Today): Promise<void> {
  const known = (await db.get('kept', 'today')) as Today | undefined
  state.reach.value = 'online'
  if (today.engineer.engineer_id !== state.session.value?.engineer_id) return
  if (known && known.engineer.engineer_id === today.engineer.engineer_id && known.as_of_seq > today.as_of_seq) return
  const clock = setClock(state.clock.value, Date.parse(today.now), Date.now())
  const tx = db.transaction('kept', 'readwrite')
  await tx.store.put(today, 'today')
  await tx.store.put(clock, 'clock')
  await tx.done
  batch(() => {
    state.today.value = today
    state.clock.value = clock
    state.deviceNow.value = Date.now()
  })
}

/** Pulls the whole of today; false where there was no answer. Never throws: the page says what it knows. */
export async function load(): Promise<boolean> {
  if (!state.session.value || state.expired.value) return true
  try {
    await arrived(await api.today())
  } catch (error) {
    await failed(error)
    return !(error instanceof Unreachable)
  }
  return true
}

async function failed(error: unknown): Promise<void> {
  if (error instanceof SignedOut) await expire()
  else if (error instanceof Unreachable) state.reach.value = navigator.onLine ? 'unreachable' : 'offline'
  else if (!(error instanceof Refused)) throw error
}

async function expire(): Promise<void> {
  await db.put('kept', true, 'expired')
  state.expired.value = true
  line?.stop()
  state.live.value = false
}

let running: Promise<void> | null = null
let again = false
let retryMs = RETRY_FIRST_MS
let retryTimer: ReturnType<typeof setTimeout> | undefined

/** Sends the queue, then loads. Calls while it runs make it run once more. */
export function sync(): Promise<void> {
  if (running) {
    again = true
    return running
  }
  running = (async () => {
    do {
      again = false
      await round()
    } while (again)
  })().finally(() => (running = null))
  return running
}

async function round(): Promise<void> {
  if (!state.session.value || state.expired.value) return
  clearTimeout(retryTimer)
  state.sending.value = true
  const end = await outbox.drain().finally(() => (state.sending.value = false))
  if (end === 'signed_out') return expire()
  const loaded = await load()
  if (end === 'done' && loaded) {
    retryMs = RETRY_FIRST_MS
    return
  }
  retryTimer = setTimeout(() => void sync(), retryMs)
  retryMs = Math.min(retryMs * 2, RETRY_LAST_MS)
}

/** One tap: into the queue for good, then on its way. */
export async function act(ticket: { ticket_id: string; ticket_no: string }, action: string, facts: ActionFacts = {}, photoIds: string[] = []): Promise<void> {
  await outbox.add({
    ticket_id: ticket.ticket_id, ticket_no: ticket.ticket_no, action, at: serverIso(), facts, photo_ids: photoIds,
  })
  retryMs = RETRY_FIRST_MS
  void sync()
}

/** A request to the dispatchers, or one taken back: into the same queue. */
export async function actRequest(request: QueuedRequest, ticket = { ticket_id: '', ticket_no: '' }): Promise<void> {
  const action = request.wanted ? 'ask_request' : 'withdraw_request'
  await outbox.add({ ticket_id: ticket.ticket_id, ticket_no: ticket.ticket_no, action, at: serverIso(), facts: {}, request })
  retryMs = RETRY_FIRST_MS
  void sync()
}

/** Throws Refused (wrong sign-in) or Unreachable. Another engineer's queue stays on the phone, out of sight. */
export async function signIn(signinId: string, password: string): Promise<void> {
  await signedIn(await api.signIn(signinId, password, await deviceId(db)))
}

/** The same by a code from a text message. */
export async function signInByCode(signinId: string, code: string): Promise<void> {
  await signedIn(await api.signInByCode(signinId, code, await deviceId(db)))
}

async function signedIn(reply: SignedIn): Promise<void> {
  const { engineer_id, language } = reply
  const before = state.session.value
  const tx = db.transaction(['kept', 'details'], 'readwrite')
  const kept = tx.objectStore('kept')
  if (before?.engineer_id !== engineer_id) {
    await kept.delete('today')
    await kept.delete('clock')
    await tx.objectStore('details').clear()
  }
  await kept.put(sessionOf(reply), 'session')
  await kept.put(false, 'expired')
  const chosen = await kept.get('language')
  await tx.done
  if (!chosen) await speak(language)
  await readKept()
  tabs.postMessage('changed')
  begin()
}

/** The queue stays for this engineer's next sign-in on this phone. */
export async function signOut(): Promise<void> {
  line?.stop()
  await api.signOut().catch(() => undefined)
  const tx = db.transaction(['kept', 'details'], 'readwrite')
  for (const key of ['session', 'today', 'clock', 'expired']) await tx.objectStore('kept').delete(key)
  await tx.objectStore('details').clear()
  await tx.done
  state.live.value = false
  state.reach.value = 'waiting'
  await readKept()
  tabs.postMessage('changed')
}

export async function chooseLanguage(language: Language): Promise<void> {
  await speak(language)
  await db.put('kept', language, 'language')
}

/** A ticket with its history: fresh when there is reception, else as last seen, else null. */
export async function ticketDetail(ticketId: string): Promise<TicketDetail | null> {
  try {
    const detail = await api.ticket(ticketId)
    await db.put('details', detail, ticketId)
    return detail
  } catch (error) {
    await failed(error)
    return (await db.get('details', ticketId)) ?? null
  }
}

let watching: number | null = null

/** Asks for the position once; afterwards the newest reading is always at hand. */
export function watchPosition(): void {
  if (watching !== null || !('geolocation' in navigator)) {
    if (!('geolocation' in navigator)) state.positionProblem.value = 'unavailable'
    return
  }
  watching = navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      state.positionProblem.value = null
      state.position.value = {
        lon: coords.longitude, lat: coords.latitude, datum: 'wgs84', accuracy_m: Math.min(coords.accuracy, 100_000),
        deviceMs: timestamp, ...(coords.speed === null ? {} : { speed_mps: coords.speed }),
      }
    },
    (error) => {
      state.positionProblem.value = error.code === error.PERMISSION_DENIED ? 'denied' : 'unavailable'
      if (watching !== null && error.code === error.PERMISSION_DENIED) {
        navigator.geolocation.clearWatch(watching)
        watching = null
      }
    },
    { enableHighAccuracy: true, maximumAge: 15_000, timeout: 30_000 },
  )
}

/** Real seconds since the phone was there. */
export function ageS(fix: state.Fix): number {
  return Math.max(0, (state.deviceNow.value - fix.deviceMs) / 1_000)
}

/** The fix as the server takes it; null when there is none, or it is older than two minutes and proves nothing about now. */
export function freshReading(): PositionReading | null {
  const fix = state.position.value
  if (!fix || ageS(fix) > STALE_S) return null
  const { deviceMs, ...reading } = fix
  return { ...reading, at: serverIso(deviceMs) }
}

async function trackPosition(): Promise<void> {
  const { value: session } = state.session
  if (document.hidden || !session || state.expired.value || !state.today.value?.engineer.on_shift) return
  const reading = freshReading()
  if (reading) await keepPosition(db, session.engineer_id, reading)
  await sendPositions(db, api, session.engineer_id).catch(failed)
}
