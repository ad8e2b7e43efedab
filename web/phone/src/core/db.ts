/** What the phone keeps: the queue, its photos, the last snapshot, positions not yet sent. */

import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { ActionFacts, PhotoFacts, PositionReading, Problem, RequestKind, RequestWanted, TakenKind, TicketDetail } from './wire'

/** What is asked of the dispatchers, or asked no longer: it travels in the same queue, to a door of its own. */
export type QueuedRequest =
  | { kind: RequestKind; wanted: Omit<RequestWanted, 'command_id'>; withdraw?: undefined }
  | { kind: RequestKind; withdraw: string; wanted?: undefined }

/** One tap that the server has not answered for good. */
export interface QueuedCommand {
  /** Place in the queue, given by the database; lower goes first. */
  place?: number
  engineer_id: string
  command_id: string
  ticket_id: string
  ticket_no: string
  action: string
  /** Server time, ISO 8601. */
  at: string
  facts: ActionFacts
  /** Set where the tap is a request and no step of the ticket. */
  request?: QueuedRequest
  /** Photos this command needs; they travel in `facts` once it is frozen. */
  photo_ids: string[]
  /** Sent at least once: the same id must never carry another body. */
  frozen: boolean
  tries: number
  /** The server's refusal; the command stays in sight until the engineer dismisses it. */
  refused: Problem | null
}

/** A photo taken and not yet known to be safe on the server. */
export interface QueuedPhoto {
  photo_id: string
  engineer_id: string
  ticket_id: string
  kind: TakenKind
  bytes: ArrayBuffer
  type: string
  sha256: string | null
  facts: PhotoFacts
  /** The command it belongs to; null while the engineer is still filling in the sheet. */
  command_id: string | null
  sent: boolean
  tries: number
  refused: Problem | null
}

interface PhoneSchema extends DBSchema {
  commands: { key: number; value: QueuedCommand }
  photos: { key: string; value: QueuedPhoto; indexes: { ticket_id: string } }
  positions: { key: number; value: PositionReading & { engineer_id: string } }
  details: { key: string; value: TicketDetail }
  kept: { key: string; value: unknown }
}

export type PhoneDb = IDBPDatabase<PhoneSchema>

/** Opens (and the first time makes) the phone's database. */
export function openPhoneDb(name = 'paidan-phone'): Promise<PhoneDb> {
  return openDB<PhoneSchema>(name, 1, {
    upgrade(db) {
      db.createObjectStore('commands', { keyPath: 'place', autoIncrement: true })
      db.createObjectStore('photos', { keyPath: 'photo_id' }).createIndex('ticket_id', 'ticket_id')
      db.createObjectStore('positions', { autoIncrement: true })
      db.createObjectStore('details')
      db.createObjectStore('kept')
    },
    blocking(_current, _wanted, event) {
      ;(event.target as IDBDatabase).close()
    },
  })
}
