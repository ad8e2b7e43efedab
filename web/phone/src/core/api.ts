/** The HTTP calls, and the two ways they fail: the server answered no, or there was no answer. */

import type {
  ActionCommand, BatchReply, Colleague, DeviceCard, PhotoFacts, Pool, PositionReading, Problem, SignedIn, Stock, TakenKind, TicketDetail, Today, UploadStatus,
} from './wire'
import type { PositionUse, RequestPage, RequestWanted, ShiftCard } from './wire'

/** The server answered and refused; `problem.code` says why. */
export class Refused extends Error {
  constructor(readonly problem: Problem) {
    super(problem.code)
  }
}

/** No answer worth having: no network, time-out (status 0), a 5xx or "too many requests". The same request may be sent again. */
export class Unreachable extends Error {
  constructor(message: string, readonly status = 0) {
    super(message)
  }
}

/** The sign-in has ended; the queue waits for the next one. */
export class SignedOut extends Error {}

export const CALL_TIMEOUT_MS = 15_000
export const PHOTO_TIMEOUT_MS = 90_000
const PIECES_FROM_BYTES = 128 * 1024

export interface PhotoToSend {
  photo_id: string
  ticket_id: string
  kind: TakenKind
  bytes: ArrayBuffer
  type: string
  facts: PhotoFacts
}

export interface EngineerApi {
  signIn(signinId: string, password: string, deviceId: string): Promise<SignedIn>
  askForCode(signinId: string): Promise<void>
  signInByCode(signinId: string, code: string, deviceId: string): Promise<SignedIn>
  refresh(refreshToken: string, deviceId: string): Promise<SignedIn>
  devices(): Promise<DeviceCard[]>
  revokeDevice(deviceId: string): Promise<void>
  signOut(): Promise<void>
  today(): Promise<Today>
  pool(page?: string): Promise<Pool>
  ticket(ticketId: string): Promise<TicketDetail>
  colleagues(): Promise<Colleague[]>
  stock(): Promise<Stock>
  requests(page?: string): Promise<RequestPage>
  ask(wanted: RequestWanted): Promise<void>
  withdrawRequest(requestId: string, commandId: string): Promise<void>
  shifts(): Promise<ShiftCard[]>
  sendCommands(commands: ActionCommand[]): Promise<BatchReply>
  sendPhoto(photo: PhotoToSend, timeoutMs: number): Promise<void>
  sendPositions(positions: PositionReading[]): Promise<void>
  positionUse(): Promise<PositionUse>
  agreeToPositions(agreed: boolean): Promise<void>
  photo(photoId: string, size: 'thumb' | 'large'): Promise<Blob>
  setPushTarget(platform: 'fcm' | 'web', target: string): Promise<void>
  dropPushTarget(platform: 'fcm' | 'web', target: string): Promise<void>
  /** What this browser subscribes with, or null where the installation sends no Web Push. */
  pushKey(): Promise<string | null>
  acknowledgePush(offerId: string): Promise<void>
  live(signal: AbortSignal): Promise<Response>
}

/** A fresh access token in place of the spent one; false when the sign-in has ended. Throws Unreachable. */
export type Renew = (spent: string) => Promise<boolean>

const never: Renew = async () => false

/**
 * The engineer's API over `fetch`; `token` is read at each call, so a fresh sign-in takes effect at once. A token that
 * has run out is renewed and the call made once more: nobody above notices.
 */
export function engineerApi(token: () => string | null, fetcher: typeof fetch = (...a) => fetch(...a), renew: Renew = never): EngineerApi {
  const root = '/engineer/v1/'
  /** Photos whose sending as a whole got no answer. */
  const broken = new Set<string>()

  async function call(path: string, init: RequestInit = {}, timeoutMs = CALL_TIMEOUT_MS, again = true): Promise<Response> {
    const headers = new Headers(init.headers)
    const bearer = DOORS.has(path) ? null : token()
    if (bearer) headers.set('Authorization', `Bearer ${bearer}`)
    let reply: Response
    try {
      reply = await fetcher(root + path, { signal: AbortSignal.timeout(timeoutMs), ...init, headers, cache: 'no-store' })
    } catch (error) {
      throw new Unreachable(String(error))
    }
    if (reply.ok) return reply
    if (reply.status >= 500 || reply.status === 429 || reply.status === 408) throw new Unreachable('no answer', reply.status)
    const problem = await problemOf(reply)
    if (!problem) throw new Unreachable('not our server', reply.status)
    if (reply.status === 401 && bearer && again && (await renew(bearer))) return call(path, init, timeoutMs, false)
    if (reply.status === 401 && !DOORS.has(path)) throw new SignedOut(problem.code)
    throw new Refused(problem)
  }

  /** The reply's JSON; a page in its place (a hotel's sign-in, say) counts as no answer. */
  async function read<T>(path: string, has: keyof T, init?: RequestInit, timeoutMs?: number): Promise<T> {
    const reply = await call(path, init, timeoutMs)
    try {
      const body = (await reply.json()) as T
      if (body[has] === undefined) throw new Unreachable(`reply without ${String(has)}`)
      return body
    } catch (error) {
      throw error instanceof Unreachable ? error : new Unreachable(String(error))
    }
  }

  const json = (method: string, body: unknown): RequestInit => ({
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })

  return {
    signIn: (signinId, password, deviceId) =>
      read<SignedIn>('signin', 'access_token', json('POST', { signin_id: signinId, password, device: deviceName(), device_id: deviceId })),
    askForCode: async (signinId) => void (await call('signin/code', json('POST', { signin_id: signinId }))),
    signInByCode: (signinId, code, deviceId) =>
      read<SignedIn>('signin/by_code', 'access_token', json('POST', { signin_id: signinId, code, device: deviceName(), device_id: deviceId })),
    refresh: (refreshToken, deviceId) =>
      read<SignedIn>('refresh', 'access_token', json('POST', { refresh_token: refreshToken, device_id: deviceId })),
    devices: async () => (await read<{ devices: DeviceCard[] }>('devices', 'devices')).devices,
    revokeDevice: async (deviceId) => void (await call(`devices/${deviceId}/revoke`, { method: 'POST' })),
    signOut: async () => void (await call('signout', { method: 'POST' })),
    today: () => read<Today>('today', 'tickets'),
    pool: (page) => read<Pool>(page ? `pool?page=${encodeURIComponent(page)}` : 'pool', 'tickets'),
    ticket: (ticketId) => read<TicketDetail>(`tickets/${ticketId}`, 'history'),
    stock: () => read<Stock>('stock', 'parts'),
    requests: (page) => read<RequestPage>(page ? `requests?page=${encodeURIComponent(page)}` : 'requests', 'requests'),
    ask: async (wanted) => void (await call('requests', json('POST', wanted))),
    withdrawRequest: async (requestId, commandId) => void (await call(`requests/${requestId}/withdraw`, json('POST', { command_id: commandId }))),
    shifts: async () => (await read<{ shifts: ShiftCard[] }>('shifts', 'shifts')).shifts,
    colleagues: async () => (await read<{ engineers: Colleague[] }>('colleagues', 'engineers')).engineers,
    sendCommands: (commands) => read<BatchReply>('actions/batch', 'items', json('POST', { commands })),
    sendPhoto: async (photo, timeoutMs) => {
      if (broken.has(photo.photo_id)) {
        const { sendInPieces } = await import('./pieces')
        return sendInPieces(photo, (path, init, pieceMs) => read<UploadStatus>(path, 'offset', init, pieceMs))
      }
      const init = { method: 'PUT', headers: { 'Content-Type': photo.type }, body: photo.bytes }
      try {
        await read<{ photo_id: string }>(`photos/${photo.photo_id}?${photoQuery(photo)}`, 'photo_id', init, timeoutMs)
      } catch (error) {
        // A line that broke once breaks again: the rest of this photo goes in pieces.
        if (error instanceof Unreachable && error.status === 0 && photo.bytes.byteLength > PIECES_FROM_BYTES) broken.add(photo.photo_id)
        throw error
      }
    },
    sendPositions: async (positions) => void (await call('positions', json('POST', { positions }))),
    positionUse: () => read<PositionUse>('position_use', 'views'),
    agreeToPositions: async (agreed) => void (await call('position_consent', json('PUT', { agreed }))),
    photo: async (photoId, size) => (await call(`photos/${photoId}?size=${size}`)).blob(),
    setPushTarget: async (platform, target) => void (await call('push_target', json('PUT', { platform, target }))),
    dropPushTarget: async (platform, target) => void (await call('push_target/gone', json('POST', { platform, target }))),
    pushKey: async () => (await read<{ public_key: string | null }>('push_key', 'public_key')).public_key,
    acknowledgePush: async (offerId) => void (await call('push_acks', json('POST', { offer_id: offerId }))),
    live: (signal) => call('live', { signal, headers: { Accept: 'text/event-stream' } }),
  }
}

/** Ways in: they carry no token, and their 401 is an answer. */
const DOORS = new Set(['signin', 'signin/code', 'signin/by_code', 'refresh'])

/** What the engineer reads in the list of devices. */
function deviceName(): string {
  const agent = navigator.userAgent
  const browser = /(MicroMessenger|Edg|Firefox|Chrome|Safari)/.exec(agent)?.[1] ?? 'browser'
  const system = /(Android [\d.]+|iPhone|iPad|Windows|Mac OS X|Linux|HarmonyOS)/.exec(agent)?.[1] ?? ''
  return `${browser.replace('Edg', 'Edge').replace('MicroMessenger', 'WeChat')} ${system}`.trim()
}

function photoQuery(photo: PhotoToSend): URLSearchParams {
  const query = new URLSearchParams({ ticket_id: photo.ticket_id, kind: photo.kind })
  const { taken_at, original_sha256, position } = photo.facts
  if (taken_at) query.set('taken_at', taken_at)
  if (original_sha256) query.set('original_sha256', original_sha256)
  if (position) {
    query.set('lon', String(position.lon))
    query.set('lat', String(position.lat))
    query.set('accuracy_m', String(position.accuracy_m))
    query.set('datum', position.datum)
    query.set('position_at', position.at)
  }
  return query
}

/** The problem in a refusal; null when something between the phone and the server answered in its own words. */
async function problemOf(reply: Response): Promise<Problem | null> {
  const plain = { code: `http_${reply.status}`, title: reply.statusText, status: reply.status, facts: {}, trace_id: '' }
  try {
    const body = (await reply.json()) as Partial<Problem>
    if (typeof body.code === 'string') return { ...plain, ...body, facts: body.facts ?? {} }
  } catch {
    // Not JSON: judged below.
  }
  return reply.status === 413 ? plain : null
}
