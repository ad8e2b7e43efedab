/** What the settings pages say to the server beside rules_api and admin_api. */

import { get, pageOf, type PageOf } from '../paging'
import { api } from '../state'
import type { ChecklistItem, Instant, Texts, Uuid } from '../wire'

const MOST_PAGES = 50

/** A list from its first page to its last, for what is chosen from. */
export async function everyPage<Row>(read: (page: string | null) => Promise<PageOf<Row>>): Promise<Row[]> {
  const all: Row[] = []
  let page: string | null = null
  for (let n = 0; n < MOST_PAGES; n++) {
    const found: PageOf<Row> = await read(page)
    all.push(...found.rows)
    page = found.next
    if (page === null) break
  }
  return all
}

/** What a path answers, its one long `list` read from its first page to its last. */
export async function readWhole<Whole extends object>(path: string, list: keyof Whole & string): Promise<Whole> {
  const pages: Whole[] = []
  const rows = await everyPage<unknown>(async (page) => {
    const found = await get<Whole & { next_page: string | null }>(path, { page })
    pages.push(found)
    return { rows: found[list] as unknown[], next: found.next_page }
  })
  return { ...pages[0]!, [list]: rows }
}

export interface DeviceHealth {
  engineer_id: Uuid
  name: string
  on_shift: boolean
  seen_at: Instant | null
  device: string | null
  position_at: Instant | null
  position_age_s: number | null
  push_targets: number
  push_failed: number
}
export interface OperationsReply {
  now: Instant
  alarms: string[]
  queues: { todo: number; doing: number; failed: number; outbox: number; timers_overdue: number; oldest_job_s: number; oldest_outbox_s: number; timers_late_s: number }
  devices: DeviceHealth[]
  channels: { channel: string; sent: number; failed: number; waiting: number }[]
  learned: { kind: 'roads' | 'great_circle' | 'durations'; learned_at: Instant; observed: number; rejected: number }[]
  datum_warnings: { engineer_id: Uuid; name: string; declared: string; fits: string; declared_median_m: number; fits_median_m: number; positions: number }[]
  backup: { made_at: Instant; tickets: number | null; bytes: number | null; missing_photos: number | null; verified_at: Instant | null } | null
  disk: { free_bytes: number; total_bytes: number }
  roads: { status: 'none' | 'answering' | 'away'; imported_at: Instant | null }
  versions: { product: string; migration: string | null; migration_known: string; postgres: string; python: string }
  workers: number
  relays: number
  processes: { name: string; alive: boolean; restarts: number }[]
  shed: { work: number; write: number; phone: number; read: number }
}
export const readOperations = (): Promise<OperationsReply> => get('/operations')

export const readFirstTimeFix = (since: Instant, before: Instant): Promise<{ closed: number; fixed_first_time: number }> => get('/first_time_fix', { since, before })

export type Mode = 'direct' | 'offer' | 'offer_many' | 'pool' | 'contractor' | 'manual'
export interface MatchPolicy {
  policy_id: Uuid
  mode: Mode
  work_type: string | null
  territory_id: Uuid | null
  contractor_id: Uuid | null
  settings: Record<string, number>
}
export const readPolicies = (page: string | null): Promise<PageOf<MatchPolicy>> => pageOf('/match_policies', 'policies', { page })
export const putPolicy = (id: Uuid, policy: Omit<MatchPolicy, 'policy_id'>): Promise<void> => api.ask('PUT', `/match_policies/${id}`, policy)
export const dropPolicy = (id: Uuid): Promise<void> => api.ask('DELETE', `/match_policies/${id}`)

export type { ChecklistItem }
export type ItemKind = ChecklistItem['kind']
export interface Checklist {
  code: string
  name: Texts
  items: ChecklistItem[]
  completion_photos: number
}
export const readChecklists = (page: string | null): Promise<PageOf<Checklist>> => pageOf('/checklists', 'checklists', { page })
export const putChecklist = (code: string, items: ChecklistItem[], completion_photos: number): Promise<unknown> =>
  api.ask('PUT', `/work_types/${code}/checklist`, { items, completion_photos })

export interface Price {
  code: string
  name: Texts
  kind: 'labour' | 'part' | 'call_out' | 'other'
  unit_price_minor: number
  part: string | null
  valid_from: Instant | null
  valid_until: Instant | null
}
/** The standing rate has no id and no days; a dated one stands instead of it on its days. */
export interface Rate {
  rate_id: Uuid | null
  work_type: string
  payee_kind: string
  fixed_minor: number
  share_bp: number
  valid_from: Instant | null
  valid_until: Instant | null
}
export interface RateLine extends Rate {
  line_id: string
}
export const readPrices = (page: string | null): Promise<{ currency: string; prices: Price[]; next_page: string | null }> => get('/prices', { page })
export const putPrice = ({ code, ...line }: Price): Promise<void> => api.ask('PUT', `/prices/${code}`, line)
export const dropPrice = (code: string): Promise<void> => api.ask('DELETE', `/prices/${code}`)
export const readRates = (page: string | null): Promise<{ currency: string; rates: RateLine[]; next_page: string | null }> => get('/rates', { page })
export const putRate = ({ rate_id, work_type, payee_kind, fixed_minor, share_bp, ...days }: Rate): Promise<void> => {
  const line = { fixed_minor, share_bp }
  return rate_id
    ? api.ask('PUT', `/dated_rates/${rate_id}`, { work_type, payee_kind, ...line, ...days })
    : api.ask('PUT', `/rates/${work_type}/${payee_kind}`, line)
}
export const dropRate = ({ rate_id, work_type, payee_kind }: Rate): Promise<void> =>
  api.ask('DELETE', rate_id ? `/dated_rates/${rate_id}` : `/rates/${work_type}/${payee_kind}`)

export interface PartLine {
  code: string
  name: Texts
  unit: string
  price_minor: number | null
  serialised: boolean
  returned: boolean
  in_vans: string
  in_depots: string
}
export interface MovementLine {
  movement_id: number
  part: string
  name: Texts
  unit: string
  quantity: string
  serial: string | null
  from_kind: string
  to_kind: string
  from_name: Texts | null
  to_name: Texts | null
  ticket_id: Uuid | null
  ticket_no: string | null
  at: Instant
  reference: string | null
  reason: string | null
  booked_by: string | null
}
export interface Depot {
  depot_id: Uuid
  code: string
  name: Texts
  active: boolean
  lon: number | null
  lat: number | null
}
export interface StockLine {
  part: string
  name: Texts
  unit: string
  serialised: boolean
  quantity: string
  serials: string[]
}
/** A depot or the van of an engineer. */
export type Place = { depot_id: Uuid } | { engineer_id: Uuid }
export interface MovedLine {
  part: string
  quantity: string
  serial: string | null
}
export const readParts = (page: string | null): Promise<{ currency: string; parts: PartLine[]; next_page: string | null }> => get('/parts', { page })
export const putParts = (lines: Omit<PartLine, 'in_vans' | 'in_depots'>[]): Promise<unknown> => api.ask('PUT', '/parts', { lines })
/** Every depot. */
export const readDepots = (): Promise<Depot[]> => everyPage((page) => pageOf('/depots', 'depots', { page }))
export const putDepot = (id: Uuid, depot: { code: string; name: Texts; position: { lon: number; lat: number } | null; active: boolean }): Promise<unknown> =>
  api.ask('PUT', `/depots/${id}`, depot)
export const readStock = (place: Place, page: string | null): Promise<PageOf<StockLine>> => pageOf('/stock', 'stock', { ...place, page })
export const readMovements = (part: string | null, place: Place | null, page: string | null): Promise<PageOf<MovementLine>> =>
  pageOf('/part_movements', 'movements', { part, ...place, page })
export const receiveParts = (depot: Uuid, command_id: Uuid, reference: string, line: MovedLine): Promise<unknown> =>
  api.ask('POST', `/depots/${depot}/deliveries`, { command_id, reference, lines: [line] })
export const moveParts = (way: 'van_loads' | 'van_returns', depot: Uuid, command_id: Uuid, engineer_id: Uuid, line: MovedLine): Promise<unknown> =>
  api.ask('POST', `/depots/${depot}/${way}`, { command_id, engineer_id, lines: [line] })
/** Old parts taken from customers, where they are: in a depot, or with an engineer. */
export interface OldPart {
  line_id: string
  part: string
  name: Texts
  unit: string
  quantity: string
  depot_id: Uuid | null
  engineer_id: Uuid | null
  place_name: Texts
}
export const readOldParts = (page: string | null): Promise<PageOf<OldPart>> => pageOf('/old_parts', 'old_parts', { page })
export interface OwedPart {
  line_id: string
  ticket_id: Uuid
  ticket_no: string
  part: string
  name: Texts
  unit: string
  quantity: string
  engineer_id: Uuid
  engineer_name: string
  at: Instant
}
export const readOwedParts = (page: string | null): Promise<PageOf<OwedPart>> => pageOf('/owed_parts', 'owed_parts', { page })
export const bringOldParts = (owed: OwedPart, command_id: Uuid, quantity: string): Promise<unknown> =>
  api.ask('POST', `/tickets/${owed.ticket_id}/old_parts`, { command_id, engineer_id: owed.engineer_id, lines: [{ part: owed.part, quantity }] })
export const takeOldParts = (depot: Uuid, command_id: Uuid, engineer_id: Uuid, line: { part: string; quantity: string }): Promise<unknown> =>
  api.ask('POST', `/depots/${depot}/old_parts_in`, { command_id, engineer_id, lines: [line] })
export const bookOutOldParts = (depot: Uuid, command_id: Uuid, to: string, reference: string | null, line: { part: string; quantity: string }): Promise<unknown> =>
  api.ask('POST', `/depots/${depot}/old_parts_out`, { command_id, to, reference, lines: [line] })
export const takeStock = (place: Place, command_id: Uuid, reason: string, line: { part: string; counted: string; serial: string | null }): Promise<unknown> =>
  api.ask('POST', '/stock_takes', { command_id, ...place, reason, lines: [line] })

export interface ShiftLine {
  shift_id: Uuid
  engineer_id: Uuid
  engineer_name: string
  kind: 'work' | 'on_call'
  starts_at: Instant
  ends_at: Instant
}
export const readShifts = (query: { kind: string; engineer_id: string; page: string | null }): Promise<PageOf<ShiftLine>> => pageOf('/shifts', 'shifts', query)
export const addShifts = (engineer: Uuid, spans: { kind: string; starts_at: Instant; ends_at: Instant }[]): Promise<void> =>
  api.ask('POST', `/engineers/${engineer}/shifts`, { spans })
export const dropShift = (id: Uuid): Promise<void> => api.ask('DELETE', `/shifts/${id}`)

export interface Contract {
  contract_id: Uuid
  customer_id: Uuid
  number: string
  starts_at: Instant
  ends_at: Instant | null
}
export interface Duty {
  duty_id: Uuid
  dispatcher_id: Uuid
  name: string
  starts_at: Instant
  ends_at: Instant
}
export interface DutySettings {
  contracts: Contract[]
  duties: Duty[]
  dispatchers: { dispatcher_id: Uuid; name: string; role: string }[]
}
/** With every contract. */
export const readDuties = (): Promise<DutySettings> => readWhole('/promise_settings', 'contracts')
export const putContract = (id: Uuid, wanted: { customer_phone?: string; number: string; starts_at: Instant; ends_at: Instant | null }): Promise<unknown> =>
  api.ask('PUT', `/contracts/${id}`, wanted)
export const dropContract = (id: Uuid): Promise<void> => api.ask('DELETE', `/contracts/${id}`)
export const dropDuty = (id: Uuid): Promise<void> => api.ask('DELETE', `/duties/${id}`)
export const putDuty = (id: Uuid, wanted: { dispatcher_id: Uuid; starts_at: Instant; ends_at: Instant }): Promise<unknown> => api.ask('PUT', `/duties/${id}`, wanted)
