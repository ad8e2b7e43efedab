/** What the rules page says to the server. */

import { readWhole } from '../settings/settings_api'
import { api } from '../state'
import type { Instant, Texts, Uuid } from '../wire'

export interface Policy {
  policy_id: Uuid
  name: Texts
  work_type: string | null
  priority: string | null
  contract_id: Uuid | null
  calendar_id: Uuid | null
  response_min: number | null
  arrival_min: number | null
  resolution_min: number | null
  steps: { pct: number; whom: string }[]
  active: boolean
}

export interface CalendarLine {
  calendar_id: Uuid
  name: Texts
  version: number
  rules: { zone: string; week: [number, number][][]; days: Record<string, [number, number][]>; known_until: string | null }
}

export interface PromiseSettings {
  policies: Policy[]
  calendars: CalendarLine[]
  contracts: { contract_id: Uuid; number: string }[]
}

export interface PromiseLine {
  clock_id: Uuid
  kind: 'response' | 'arrival' | 'resolution'
  cycle: number
  started_at: Instant
  due_at: Instant | null
  at_risk_at: Instant | null
  paused_reason: string | null
  ended: 'met' | 'dropped' | null
  ended_at: Instant | null
  target_s: number
  elapsed_s: number
  late: boolean
  guess: boolean
  spans: { running: boolean; reason: string | null; from_at: Instant; to_at: Instant | null; business_s: number | null }[]
  steps: { pct: number; whom: string; due_at: Instant; fired_at: Instant }[]
}

export interface Reaction {
  kind: string
  active: boolean
  parameters: { name: string; value: number; least: number; most: number }[]
}

export interface TellSettings {
  rules: { quiet_from_min: number | null; quiet_to_min: number | null; debounce_s: number; ladder_backup: boolean }
  channels: { channel: string; active: boolean; updated_at: Instant }[]
  targets: { person_id: Uuid; channel: string; preference: number; gone_at: Instant | null }[]
  needs: Record<string, string[]>
  wecom_callback: string
}

export interface MessageLine {
  message_id: Uuid
  ticket_id: Uuid | null
  ticket_no: string | null
  template: string
  person_kind: string
  person_name: string | null
  channel: string
  status: string
  code: string | null
  tries: number
  made_at: Instant
  sent_at: Instant | null
}

export interface Endpoint {
  endpoint_id: Uuid
  url: string
  actions: string[]
  active: boolean
  pending: number
  failed: number
}

export interface Delivery {
  delivery_id: Uuid
  ticket_id: Uuid | null
  ticket_no: string | null
  action: string
  body: object
  status: string
  tries: number
  made_at: Instant
  attempts: { at: Instant; status: number | null; code: string | null }[]
}

const get = <T>(path: string): Promise<T> => api.ask<T>('GET', path)
const put = <T = void>(path: string, body: object): Promise<T> => api.ask<T>('PUT', path, body)

export const readPromises = (ticketId: Uuid): Promise<{ now: Instant; promises: PromiseLine[] }> => get(`/tickets/${ticketId}/promises`)
/** With every contract. */
export const readPromiseSettings = (): Promise<PromiseSettings> => readWhole('/promise_settings', 'contracts')
export const putPolicy = (id: Uuid, policy: Omit<Policy, 'policy_id'>): Promise<void> => put(`/promise_policies/${id}`, policy)
export const putCalendar = (id: Uuid, calendar: { name: Texts; rules: object }): Promise<void> => put(`/calendars/${id}`, calendar)
export const fillChina = (id: Uuid, year: number): Promise<void> => api.ask('POST', `/calendars/${id}/china_days`, { year })
export const readReactions = (): Promise<{ automations: Reaction[] }> => get('/automations')
export const putReaction = (kind: string, active: boolean, parameters: Record<string, number>): Promise<void> =>
  put(`/automations/${kind}`, { active, parameters })
/** With where everybody is reached, page by page. */
export const readTellSettings = (): Promise<TellSettings> => readWhole('/tell_settings', 'targets')
export const putTellRules = (rules: TellSettings['rules']): Promise<void> => put('/tell_rules', rules)
export const putChannel = (channel: string, active: boolean, values: Record<string, string>): Promise<void> =>
  put(`/channels/${channel}`, { active, values })
export const putTargets = (kind: string, id: Uuid, targets: { channel: string; address: string }[]): Promise<void> => put(`/people/${kind}/${id}/targets`, { targets })
export const readMessages = (page: string | null): Promise<{ messages: MessageLine[]; next_page: string | null }> =>
  get(page ? `/messages?page=${page}` : '/messages')
export const readEndpoints = (): Promise<{ webhooks: Endpoint[]; actions: string[] }> => get('/webhooks')
export const putEndpoint = (id: Uuid, endpoint: { url: string; actions: string[]; active: boolean }): Promise<{ secret: string | null }> =>
  put(`/webhooks/${id}`, endpoint)
export const rotateSecret = (id: Uuid): Promise<{ secret: string }> => api.ask('POST', `/webhooks/${id}/rotate`)
export function readDeliveries(page: string | null, status: string): Promise<{ deliveries: Delivery[]; next_page: string | null }> {
  const query = new URLSearchParams({ ...(page ? { page } : {}), ...(status ? { status } : {}) })
  return get(`/webhook_deliveries?${query}`)
}
export const replay = (id: Uuid): Promise<void> => api.ask('POST', `/webhook_deliveries/${id}/replay`)
