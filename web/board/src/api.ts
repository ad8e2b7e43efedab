/** The dispatcher's half of the HTTP API. Every call has a time-out; every failure is a `Refused` with a code. */

import type {
  ActionDone, Board, BulkReport, Candidate, CatalogueReply, DeadLetter, EngineerRequest, Me, NewTicket, Place, ProblemBody, Receipt, TicketCreated, TicketPage, TicketView, Uuid,
} from './wire'

const TIMEOUT_MS = 5_000
/** A match reads every engineer and their roads: it may think longer than a page read. */
const MATCH_TIMEOUT_MS = 15_000
/** Each of up to 200 tickets is matched anew. */
const BULK_TIMEOUT_MS = 60_000
const PHOTO_TIMEOUT_MS = 60_000

/** A request that failed: the server's problem, or `offline`, `timeout`, `unreachable` (status 0). */
export class Refused extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly facts: Record<string, unknown> = {},
    readonly traceId = '',
  ) {
    super(code)
  }
}

type Query = Record<string, string | null | undefined>

export class DispatcherApi {
  #csrf = ''

  constructor(
    private readonly fetcher: typeof fetch,
    private readonly base = '/dispatcher/v1',
  ) {}

  async signIn(signinId: string, password: string, code?: string): Promise<Me> {
    return this.#signed(await this.#send<Me>('POST', '/signin', { signin_id: signinId, password, ...(code ? { code } : {}) }))
  }

  async me(): Promise<Me> {
    return this.#signed(await this.#get<Me>('/me'))
  }

  signOut = (): Promise<void> => this.#send('POST', '/signout')
  board = (page?: string | null): Promise<Board> => this.#get('/board', { page })
  tickets = (query: { status?: string; q?: string; attention?: boolean; page?: string | null }): Promise<TicketPage> =>
    this.#get('/tickets', { status: query.status, q: query.q, attention: query.attention ? '1' : null, page: query.page })
  ticket = (id: Uuid): Promise<TicketView> => this.#get(`/tickets/${id}`)
  candidates = (id: Uuid): Promise<Receipt> => this.#get(`/tickets/${id}/candidates`, {}, MATCH_TIMEOUT_MS)
  whyNot = (id: Uuid, engineerId: Uuid): Promise<{ candidate: Candidate }> =>
    this.#get(`/tickets/${id}/candidates/${engineerId}`, {}, MATCH_TIMEOUT_MS)
  receipts = (id: Uuid): Promise<{ receipts: Receipt[] }> => this.#get(`/tickets/${id}/receipts`)
  match = (id: Uuid): Promise<Receipt> => this.#send('POST', `/tickets/${id}/match`, undefined, MATCH_TIMEOUT_MS)
  catalogue = (): Promise<CatalogueReply> => this.#get('/catalogue')
  places = (q: string): Promise<{ places: Place[] }> => this.#get('/places', { q })
  create = (ticket: NewTicket): Promise<TicketCreated> => this.#send('POST', '/tickets', ticket)
  act = (id: Uuid, commandId: Uuid, action: string, facts: object): Promise<ActionDone> =>
    this.#send('POST', `/tickets/${id}/actions`, { command_id: commandId, action, facts })
  bulkReports = (page: Uuid | null = null): Promise<{ reports: BulkReport[]; next_page: Uuid | null }> => this.#get('/bulk', { page })
  engineerOut = (id: Uuid, asked: { command_id: Uuid; starts_at: string; ends_at: string; reason: string }): Promise<BulkReport> =>
    this.#send('POST', `/engineers/${id}/out`, asked, BULK_TIMEOUT_MS)
  rebookMany = (asked: { command_id: Uuid; ticket_ids: Uuid[]; later_min: number }): Promise<BulkReport> =>
    this.#send('POST', '/bulk/rebook', asked, BULK_TIMEOUT_MS)
  requests = (ticketId: Uuid | null, page: Uuid | null = null): Promise<{ requests: EngineerRequest[]; next_page: Uuid | null }> =>
    this.#get('/requests', { ticket_id: ticketId, page })
  answerRequest = (id: Uuid, commandId: Uuid, verdict: 'approve' | 'refuse'): Promise<{ status: string }> =>
    this.#send('POST', `/requests/${id}/answer`, { command_id: commandId, verdict })
  deadLetters = (page?: string | null): Promise<{ dead_letters: DeadLetter[]; next_page: string | null }> =>
    this.#get('/dead_letters', { page })
  retry = (jobId: number): Promise<{ job_id: number }> => this.#send('POST', `/dead_letters/${jobId}/retry`)
  async putPhoto(photoId: Uuid, ticketId: Uuid, kind: string, photo: Blob): Promise<void> {
    const query = new URLSearchParams({ ticket_id: ticketId, kind })
    await this.ask('PUT', `/photos/${photoId}?${query}`, photo, PHOTO_TIMEOUT_MS)
  }

  photoUrl = (photoId: Uuid, size: 'thumb' | 'large'): string => `${this.base}/photos/${photoId}?size=${size}`

  /** The live stream's reply; the caller reads it and aborts it. */
  live(signal: AbortSignal): Promise<Response> {
    return this.fetcher(`${this.base}/live`, { signal, credentials: 'same-origin', headers: { Accept: 'text/event-stream' } })
  }

  #signed(me: Me): Me {
    this.#csrf = me.csrf_token
    return me
  }

  #get<T>(path: string, query: Query = {}, timeoutMs = TIMEOUT_MS): Promise<T> {
    const given = Object.entries(query).filter((entry): entry is [string, string] => Boolean(entry[1]))
    const text = new URLSearchParams(given).toString()
    return this.ask<T>('GET', text ? `${path}?${text}` : path, undefined, timeoutMs)
  }

  #send<T>(method: string, path: string, body?: object, timeoutMs = TIMEOUT_MS): Promise<T> {
    return this.ask<T>(method, path, body, timeoutMs)
  }

  /** Any request of the dispatcher's API. Throws Refused. */
  async ask<T>(method: string, path: string, body?: object, timeoutMs = TIMEOUT_MS): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' }
    if (method !== 'GET') headers['X-CSRF-Token'] = this.#csrf
    if (body) headers['Content-Type'] = body instanceof Blob ? body.type : 'application/json'
    const request: RequestInit = { method, headers, credentials: 'same-origin', signal: AbortSignal.timeout(timeoutMs) }
    if (body) request.body = body instanceof Blob ? body : JSON.stringify(body)
    try {
      const reply = await this.fetcher(this.base + path, request)
      if (!reply.ok) throw await refusal(reply)
      return (reply.status === 204 ? undefined : await reply.json()) as T
    } catch (error) {
      throw asRefused(error)
    }
  }
}

async function refusal(reply: Response): Promise<Refused> {
  const body = (await reply.json().catch(() => ({}))) as Partial<ProblemBody>
  const code = body.code ?? (reply.status >= 500 ? 'internal' : `http_${reply.status}`)
  return new Refused(code, reply.status, body.facts ?? {}, body.trace_id ?? '')
}

/** Any failure of a request as a `Refused`. */
export function asRefused(error: unknown): Refused {
  if (error instanceof Refused) return error
  if (error instanceof DOMException && (error.name === 'TimeoutError' || error.name === 'AbortError')) return new Refused('timeout', 0)
  if (typeof navigator !== 'undefined' && navigator.onLine === false) return new Refused('offline', 0)
  return new Refused('unreachable', 0)
}

/** UUIDv7: 48 bits of Unix milliseconds, then random bits (RFC 9562). */
export function uuid7(ms: number = Date.now()): Uuid {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(ms / 2 ** (8 * (5 - i))) & 0xff
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
