/** The shapes of mobile_contract/v1.py as this phone uses them. Instants are ISO 8601 strings. */

export type Language = 'zh' | 'en'
export type Priority = 'low' | 'normal' | 'high' | 'urgent'
export type Texts = Record<Language, string>
export type OutcomeCode = 'fixed' | 'temporary' | 'not_fixed' | 'no_fault' | 'refused' | 'no_access'
export type PhotoKind = 'intake' | 'check_in' | 'completion' | 'reject' | 'signature'
export type TakenKind = 'check_in' | 'completion' | 'signature'
export type QuoteLineKind = 'labour' | 'part' | 'call_out' | 'other'

export interface PositionReading {
  lon: number
  lat: number
  datum: 'wgs84'
  accuracy_m: number
  at: string
  speed_mps?: number | null
}

export interface QuoteLine {
  kind: QuoteLineKind
  text: string
  quantity: string
  unit_price_minor: number
  /** The line of the price list it stands for; its price is the list's. */
  price?: string
}

export type PayMethod = 'cash' | 'card' | 'wechat' | 'alipay' | 'transfer'
export type ChecklistValue = boolean | number | string

export interface PartUsed {
  part: string
  quantity: string
  serial?: string
  old_returned: boolean
}

export interface MachineDone {
  asset_id: string
  outcome: OutcomeCode
  checklist: { item: string; value: ChecklistValue }[]
}

export interface ChecklistItem {
  item: string
  kind: 'yes_no' | 'choice' | 'number' | 'text' | 'photo' | 'signature'
  label: Texts
  required?: boolean
  choices?: { code: string; label: Texts }[]
  unit?: string | null
  least?: number | null
  most?: number | null
  show_when?: { item: string; is: ChecklistValue[] } | null
  outcomes?: string[] | null
}

export interface MachineCard {
  asset_id: string
  kind: string
  serial: string | null
  name: Texts
  outcome: string | null
}

export interface StockLine {
  part: string
  name: Texts
  unit: string
  serialised: boolean
  returned: boolean
  in_van: number
}

export interface PriceLine {
  code: string
  name: Texts
  kind: QuoteLineKind
  unit_price_minor: number
  part: string | null
}

export interface Stock {
  parts: StockLine[]
  prices: PriceLine[]
}

export interface ActionFacts {
  offer_id?: string
  colleague_id?: string
  reason?: string
  text?: string
  position?: PositionReading
  photo_ids?: string[]
  photo_pending?: string[]
  outcome?: OutcomeCode
  until?: string
  keep_engineer?: boolean
  window_from?: string
  window_to?: string
  quote_lines?: QuoteLine[]
  currency?: string
  parts_used?: PartUsed[]
  checklist?: { item: string; value: ChecklistValue }[]
  machines?: MachineDone[]
  code?: string
  method?: PayMethod
  amount_minor?: number
  reference?: string
}

export interface ActionCommand {
  command_id: string
  ticket_id: string
  action: string
  at: string
  facts: ActionFacts
}

export interface SignedIn {
  access_token: string
  expires_at: string
  engineer_id: string
  name: string
  language: Language
  refresh_token?: string | null
  refresh_expires_at?: string | null
}

export interface DeviceCard {
  device_id: string
  device: string
  created_at: string
  seen_at: string
  current: boolean
}

export interface PositionUse {
  agreed: boolean
  kept_days: number
  views: { name: string; hour: string; last_at: string }[]
}

export interface Site {
  lon: number
  lat: number
}

export interface Window_ {
  start: string
  end: string
}

export interface WorkTypeCard {
  code: string
  name: Texts
  duration_min: number
  completion_photos: number
  check_in_radius_m: number
}

export interface PhotoCard {
  photo_id: string
  kind: PhotoKind
  taken_at: string
  pending: boolean
}

export interface QuoteCard {
  quote_id: string
  status: 'open' | 'approved' | 'refused' | 'superseded'
  currency: string
  total_minor: number
}

export interface TicketCard {
  ticket_id: string
  ticket_no: string
  status: string
  version: number
  priority: Priority
  work_type: WorkTypeCard
  description: string
  address: string
  door: string | null
  site: Site | null
  contact: { name: string | null; phone: string | null }
  window: Window_ | null
  due_at: string | null
  visit_id: string
  visit_number: number
  role: 'lead' | 'helper' | 'trainee'
  acknowledged: boolean
  checked_in_at: string | null
  eta_at: string | null
  eta_estimated?: boolean
  hold_until: string | null
  outcome: string | null
  checklist?: ChecklistItem[]
  machines?: MachineCard[]
  service_code?: boolean
  quote: QuoteCard | null
  /** Allowed by a dispatcher: the next quote takes it off by itself. */
  discount_percent?: number | null
  photos: PhotoCard[]
  allowed_actions: string[]
}

export interface OfferCard {
  offer_id: string | null
  kind: 'offer' | 'hand_over' | 'pool'
  ticket_id: string
  ticket_no: string
  priority: Priority
  work_type: WorkTypeCard
  description: string
  address: string
  site: Site | null
  window: Window_ | null
  due_at: string | null
  travel_s: number | null
  /** Absent from older servers: then it is one. */
  travel_estimated?: boolean
  distance_m: number | null
  expires_at: string | null
  /** Until then names are collected, and the best of those who gave theirs gets the ticket. */
  collect_until?: string | null
  name_down?: boolean
  allowed_actions: string[]
}

export type RequestKind = 'overtime' | 'leave' | 'discount' | 'part'

export interface RequestWanted {
  command_id: string
  kind: RequestKind
  ticket_id?: string
  day?: string
  minutes?: number
  starts_at?: string
  ends_at?: string
  percent?: number
  part?: string
  quantity?: string
}

export interface RequestLine {
  request_id: string
  kind: RequestKind
  ticket_id: string | null
  ticket_no: string | null
  status: 'open' | 'approved' | 'refused' | 'withdrawn'
  facts: { day?: string; minutes?: number; starts_at?: string; ends_at?: string; percent?: number; part?: string; quantity?: string }
  asked_at: string
  answered_at: string | null
  answered_by: string | null
}

export interface RequestPage {
  requests: RequestLine[]
  next_page: string | null
}

export interface ShiftCard {
  kind: 'work' | 'on_call'
  starts_at: string
  ends_at: string
}

export interface EngineerCard {
  engineer_id: string
  name: string
  language: Language
  on_shift: boolean
  shift_from: string | null
  shift_to: string | null
  planned_min: number
  limit_min: number
}

export interface Today {
  as_of_seq: number
  now: string
  engineer: EngineerCard
  tickets: TicketCard[]
  offers: OfferCard[]
  pool_count: number
}

export interface Pool {
  tickets: OfferCard[]
  next_page: string | null
}

export interface Problem {
  code: string
  title: string
  status: number
  facts: Record<string, unknown>
  trace_id: string
}

export interface BatchItem {
  command_id: string
  status: number
  problem?: Problem | null
}

export interface BatchReply {
  items: BatchItem[]
  today: Today
}

export interface EventCard {
  seq: number
  at: string
  action: string
  actor: string
  from_status: string | null
  to_status: string | null
  text: string | null
}

export interface TicketDetail {
  ticket: TicketCard
  history: EventCard[]
}

export interface UploadStatus {
  photo_id: string
  offset: number
  photo: unknown
}

export interface Colleague {
  engineer_id: string
  name: string
}

/** What travels beside a photo, because the canvas drops it. */
export interface PhotoFacts {
  taken_at: string | null
  original_sha256: string | null
  position: PositionReading | null
}
