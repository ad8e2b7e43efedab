/** A server and characters for the tests: Ana the engineer, and a queue on a database of her own. */

import 'fake-indexeddb/auto'
import { Refused, SignedOut, Unreachable, type EngineerApi, type PhotoToSend } from '../src/core/api'
import { openPhoneDb, type QueuedPhoto } from '../src/core/db'
import { Outbox, type Lock } from '../src/core/outbox'
import { uuid7 } from '../src/core/uuid7'
import type { ActionCommand, BatchItem, Problem, RequestWanted, TicketCard, Today } from '../src/core/wire'

export const ANA = 'ana'
export const TICKET = { ticket_id: 'ticket-1', ticket_no: '1001' }
export const OTHER = { ticket_id: 'ticket-2', ticket_no: '1002' }

export function problem(code: string, status = 409): Problem {
  return { code, title: code, status, facts: {}, trace_id: 't' }
}

export function ticketCard(changes: Partial<TicketCard> = {}): TicketCard {
  return {
    ...TICKET, status: 'assigned', version: 1, priority: 'normal',
    work_type: { code: 'ac', name: { zh: '空调', en: 'AC' }, duration_min: 60, completion_photos: 2, check_in_radius_m: 150 },
    description: '', address: '1 Road', door: null, site: { lon: 121.5, lat: 31.2 }, contact: { name: 'Chen', phone: '123' },
    window: null, due_at: null, visit_id: 'visit-1', visit_number: 1, role: 'lead', acknowledged: true, checked_in_at: null,
    eta_at: null, hold_until: null, outcome: null, quote: null, photos: [], allowed_actions: ['set_off', 'check_in', 'hand_back'],
    ...changes,
  }
}

export function todayOf(tickets: TicketCard[] = [ticketCard()], seq = 1): Today {
  return {
    as_of_seq: seq, now: '2026-11-22T08:00:00Z', tickets, offers: [], pool_count: 0,
    engineer: {
      engineer_id: ANA, name: 'Ana', language: 'en', on_shift: true, shift_from: null, shift_to: null, planned_min: 0, limit_min: 480,
    },
  }
}

/** What the server got and how it answers; a test changes the answers. */
export interface FakeServer {
  up: boolean
  photosUp: boolean
  photoStatus: number
  signedIn: boolean
  /** Applied, but the reply never arrives; counts down. */
  cutReplies: number
  /** Answer per action: a status, and a code when it is no success. */
  answers: Record<string, { status: number; code: string }>
  batches: ActionCommand[][]
  applied: Map<string, string>
  photos: string[]
  log: string[]
  api: EngineerApi
}

export function fakeServer(): FakeServer {
  const server: FakeServer = {
    up: true, photosUp: true, photoStatus: 201, signedIn: true, cutReplies: 0, answers: {}, batches: [], applied: new Map(), photos: [], log: [],
    api: {} as EngineerApi,
  }
  const reach = () => {
    if (!server.up) throw new Unreachable('down')
    if (!server.signedIn) throw new SignedOut('signed_out')
  }
  const answer = (command: ActionCommand): BatchItem => {
    const body = JSON.stringify(command)
    const before = server.applied.get(command.command_id)
    if (before !== undefined && before !== body) {
      return { command_id: command.command_id, status: 422, problem: problem('command_id_reused', 422) }
    }
    const planned = server.answers[command.action]
    if (planned) return { command_id: command.command_id, status: planned.status, problem: problem(planned.code, planned.status) }
    if (before === undefined) server.log.push(`${command.action} ${command.ticket_id}`)
    server.applied.set(command.command_id, body)
    return { command_id: command.command_id, status: 200 }
  }
  server.api = {
    today: async () => (reach(), todayOf()),
    sendCommands: async (commands: ActionCommand[]) => {
      reach()
      server.batches.push(commands)
      const items = commands.map(answer)
      if (server.cutReplies > 0) {
        server.cutReplies -= 1
        throw new Unreachable('reply cut')
      }
      return { items, today: todayOf([], 2) }
    },
    ask: async (wanted: RequestWanted) => {
      reach()
      const planned = server.answers['ask_request']
      if (planned) throw new Refused(problem(planned.code, planned.status))
      if (!server.applied.has(wanted.command_id)) server.log.push(`ask ${wanted.kind}`)
      server.applied.set(wanted.command_id, JSON.stringify(wanted))
      if (server.cutReplies > 0) {
        server.cutReplies -= 1
        throw new Unreachable('reply cut')
      }
    },
    withdrawRequest: async (requestId: string) => {
      reach()
      server.log.push(`withdraw ${requestId}`)
    },
    sendPhoto: async (photo: PhotoToSend) => {
      reach()
      if (!server.photosUp) throw new Unreachable('slow')
      if (server.photoStatus >= 500) throw new Unreachable('failing', server.photoStatus)
      if (server.photoStatus >= 400) throw new Refused(problem('photo_unreadable', server.photoStatus))
      server.photos.push(photo.photo_id)
      server.log.push(`photo ${photo.kind}`)
    },
  } as unknown as EngineerApi
  return server
}

/** A lock as the browser's: one holder at a time, whoever asks. */
export function oneAtATime(): Lock {
  let last: Promise<unknown> = Promise.resolve()
  return (_name, work) => {
    const mine = last.then(work, work)
    last = mine
    return mine as ReturnType<typeof work>
  }
}

let databases = 0
export const freshDatabase = (): string => `phone-${(databases += 1)}`

/** One tab. The same database name again is the same phone after a reload, or a second tab. */
export async function openTab(server: FakeServer, name: string, options: { lock?: Lock; engineer?: string } = {}): Promise<Outbox> {
  const db = await openPhoneDb(name)
  return new Outbox({
    db, api: server.api, lock: options.lock ?? oneAtATime(), engineerId: () => options.engineer ?? ANA,
    changed: async () => undefined, arrived: async () => undefined,
  })
}

export function photo(kind: QueuedPhoto['kind'] = 'check_in', changes: Partial<QueuedPhoto> = {}): QueuedPhoto {
  return {
    photo_id: uuid7(), engineer_id: ANA, ticket_id: TICKET.ticket_id, kind, bytes: new ArrayBuffer(8), type: 'image/jpeg', sha256: 'a'.repeat(64),
    facts: { taken_at: null, original_sha256: null, position: null }, command_id: null, sent: false, tries: 0, refused: null, ...changes,
  }
}
