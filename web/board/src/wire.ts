/** What the server says to the board. Instants are ISO 8601 with offset; `_s` seconds, `_min` minutes, `_m` metres. */

export type Uuid = string
export type Instant = string
export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export type EngineerStatus = 'off' | 'free' | 'assigned' | 'en_route' | 'on_site'

export interface Texts {
  zh: string
  en: string
}

export interface Me {
  dispatcher_id: Uuid
  name: string
  role: 'admin' | 'dispatcher' | 'contractor'
  totp: boolean
  language: 'zh' | 'en'
  tenant_name: Texts
  is_demo: boolean
  csrf_token: string
}

export interface Site {
  lon: number
  lat: number
  datum: string
}

export interface Window {
  start: Instant
  end: Instant
}

export interface WorkType {
  code: string
  name: Texts
  duration_min: number
  completion_photos: number
  check_in_radius_m: number
}

/** The promise due first; while paused `due_at` is null. */
export interface PromiseCard {
  kind: 'response' | 'arrival' | 'resolution'
  due_at: Instant | null
  at_risk_at: Instant | null
  paused_reason: string | null
  left_s: number
  guess: boolean
}

export interface BoardTicket {
  ticket_id: Uuid
  ticket_no: string
  status: string
  version: number
  priority: Priority
  work_type: WorkType
  description: string
  address: string
  site: Site | null
  territory_id: Uuid | null
  window: Window | null
  due_at: Instant | null
  created_at: Instant
  updated_at: Instant
  source: string
  attention: string | null
  urged: number
  visit_id: Uuid | null
  engineer_id: Uuid | null
  engineer_name: string | null
  acknowledged: boolean
  offers_pending: number
  offer_expires_at: Instant | null
  hold_until: Instant | null
  eta_at: Instant | null
  promise?: PromiseCard | null
  eta_estimated?: boolean
  allowed_actions: string[]
}

export interface BoardEngineer {
  engineer_id: Uuid
  name: string
  territory_id: Uuid | null
  contractor: boolean
  skills: Record<string, number>
  on_shift: boolean
  position: Site | null
  position_at: Instant | null
  status: EngineerStatus
  ticket_id: Uuid | null
  open_tickets: number
  planned_min: number
  limit_min: number
}

export interface Board {
  as_of_seq: number
  now: Instant
  counts: { status: string; count: number }[]
  attention_count: number
  tickets: BoardTicket[]
  next_page: string | null
  engineers: BoardEngineer[]
  more_engineers: boolean
}

export interface TicketPage {
  tickets: BoardTicket[]
  next_page: string | null
}

export interface Photo {
  photo_id: Uuid
  kind: string
  taken_at: Instant
  pending: boolean
}

export interface HistoryLine {
  seq: number
  at: Instant
  action: string
  subject_type: string
  actor: string
  actor_name: string | null
  acting_for: string | null
  from_status: string | null
  to_status: string | null
  text: string | null
  facts: Record<string, unknown>
}

export interface OfferLine {
  offer_id: Uuid
  engineer_id: Uuid | null
  engineer_name: string | null
  contractor_id: Uuid | null
  kind: string
  round: number
  status: string
  offered_at: Instant
  expires_at: Instant
  seen_at: Instant | null
  reason: string | null
}

export interface EvidenceLine {
  photo: Photo
  engineer_id: Uuid | null
  distance_m: number | null
  flags: string[]
  doubt_score: number | null
  doubts: { code: string; points: number; facts: Record<string, unknown> }[]
}

export interface AcceptanceLine {
  verdict: 'signed_off' | 'rejected'
  actor: string
  witnessed_by: Uuid | null
  rating: number | null
  text: string | null
  reason: string | null
  signature_photo_id: Uuid | null
  at: Instant
}

export interface Quote {
  quote_id: Uuid
  status: string
  currency: string
  total_minor: number
}

export interface TicketView {
  ticket: BoardTicket
  door: string | null
  contact: { name: string | null; phone: string | null }
  language: string
  customer_link: string | null
  crew: Record<string, unknown>[]
  offers: OfferLine[]
  evidence: EvidenceLine[]
  acceptances: AcceptanceLine[]
  quote: Quote | null
  history: HistoryLine[]
}

/** A rule that said no, with the numbers it looked at beside `rule`. */
export interface Refusal {
  rule: string
  [fact: string]: unknown
}

export interface Candidate {
  engineer_id: Uuid
  name: string
  eligible: boolean
  rank: number | null
  score: number | null
  parts: Record<string, number>
  refusals: Refusal[]
  travel_s: number | null
  distance_m: number | null
}

export interface Receipt {
  receipt_id: Uuid | null
  ticket_id: Uuid
  decided_at: Instant
  as_of_seq: number
  mode: string
  chosen_engineer_id: Uuid | null
  runner_up_engineer_id: Uuid | null
  travel_source: string
  holds: boolean | null
  candidates: Candidate[]
}

export interface Territory {
  territory_id: Uuid
  name: Texts
  zone: string
  area: Record<string, unknown> | null
}

/** `retired`: shown where it is used, chosen for nothing new. */
export interface CatalogueReply {
  work_types: (WorkType & { retired: boolean })[]
  skills: { code: string; name: Texts; retired: boolean }[]
  territories: Territory[]
  reasons: Record<string, string[]>
}

export interface Place {
  text: string
  lon: number
  lat: number
  score: number
}

export interface NewTicket {
  command_id: Uuid
  work_type: string
  priority: Priority
  description: string
  address: string
  door?: string
  site?: { lon: number; lat: number }
  contact_name?: string
  contact_phone?: string
  window_from?: Instant
  window_to?: Instant
  due_at?: Instant
}

export interface TicketCreated {
  ticket_id: Uuid
  ticket_no: string
  status: string
  version: number
  seq: number
  customer_link: string | null
}

export interface ActionDone {
  result: { command_id: Uuid; ticket_id: Uuid; action: string; status: string; version: number; seq: number }
  ticket: BoardTicket
}

export interface DeadLetter {
  job_id: number
  job: string
  arguments: Record<string, unknown>
  tries: number
  failed_at: Instant | null
  error: string | null
}

export interface ProblemBody {
  code: string
  title: string
  status: number
  facts: Record<string, unknown>
  trace_id: string
}

/** What became of one ticket of a bulk action; `refused` has the code and facts one action alone would have had. */
export interface BulkLine {
  ticket_id: Uuid
  ticket_no: string | null
  outcome: 'assigned' | 'offered' | 'open' | 'rebooked' | 'refused'
  engineer_id: Uuid | null
  engineer_name: string | null
  window_from: Instant | null
  window_to: Instant | null
  broken_rules: string[]
  code: string | null
  facts: Record<string, unknown>
}

export interface BulkReport {
  report_id: Uuid
  kind: 'engineer_out' | 'rebook' | 'batch'
  at: Instant
  facts: Record<string, unknown>
  lines: BulkLine[]
}

export interface EngineerRequest {
  request_id: Uuid
  kind: 'overtime' | 'leave' | 'discount' | 'part'
  engineer_id: Uuid
  engineer_name: string
  ticket_id: Uuid | null
  ticket_no: string | null
  status: 'open' | 'approved' | 'refused' | 'withdrawn'
  facts: Record<string, unknown>
  asked_at: Instant
  answered_at: Instant | null
  answered_by: string | null
  booked: number
}

export interface AnswerLine {
  item: string
  value: unknown
}

export interface ChecklistItem {
  item: string
  kind: 'yes_no' | 'choice' | 'number' | 'text' | 'photo' | 'signature'
  label: Texts
  required?: boolean
  choices?: { code: string; label: Texts }[]
  unit?: string
  least?: number
  most?: number
  show_when?: { item: string; is: (string | number | boolean)[] }
  outcomes?: string[]
}

export interface MachineDone {
  asset_id: Uuid
  kind: string
  serial: string | null
  name: Texts
  warranty_until: Instant | null
  outcome: string | null
  text: string | null
  checklist: AnswerLine[]
  done_at: Instant | null
}

export interface LinkedTicket {
  ticket_id: Uuid
  ticket_no: string
  kind: string
  status: string
}

/** What proves and settles a ticket; newest visit and quote first, amounts in minor units. */
export interface TicketProof {
  coverage: string
  parent: LinkedTicket | null
  children: LinkedTicket[]
  items: ChecklistItem[]
  visits: {
    visit_id: Uuid
    number: number
    engineer_name: string | null
    checked_in_at: Instant | null
    completed_at: Instant | null
    outcome: string | null
    text: string | null
    checklist: AnswerLine[]
  }[]
  machines: MachineDone[]
  parts: { part: string; name: Texts; unit: string; quantity: string; serial: string | null; returned: boolean; at: Instant }[]
  quotes: {
    quote_id: Uuid
    version: number
    status: string
    currency: string
    total_minor: number
    lines: { kind: string; text: string; quantity: string; unit_price_minor: number; price?: string | null }[]
    quoted_at: Instant
    answered_at: Instant | null
  }[]
  payments: { payment_id: Uuid; method: string; currency: string; amount_minor: number; reference: string | null; actor: string; at: Instant }[]
  earned: { payee_kind: string; payee: Texts | null; reason: string; currency: string; amount_minor: number; at: Instant }[]
}

export interface AssetHistory {
  asset_id: Uuid
  tickets: { ticket_id: Uuid; ticket_no: string; created_at: Instant; done_at: Instant | null; outcome: string | null; text: string | null }[]
}
