/** What each action asks of the dispatcher, as a table; and how what was typed becomes the action's facts. */

import { wallToInstant } from '../../../shared/formats'
import type { TicketView } from '../wire'

export type FieldKind = 'reason' | 'text' | 'line' | 'phone' | 'instant' | 'window' | 'flag' | 'ticket' | 'photos' | 'site' | 'priority' | 'work_type' | 'method' | 'amount'

export interface Field {
  /** The fact's name; `window` fills window_from and window_to. */
  name: string
  kind: FieldKind
  required?: boolean
  /** The label's key where it is not the fact's name. */
  label?: string
}

export interface ActionForm {
  fields: readonly Field[]
  /** Sends only what differs from the ticket. */
  changesOnly?: boolean
  /** The action ends or undoes something: its button says so. */
  grave?: boolean
}

const REASON: Field = { name: 'reason', kind: 'reason', required: true }
const TEXT: Field = { name: 'text', kind: 'text' }
const TEXT_NEEDED: Field = { name: 'text', kind: 'text', required: true }

/** Every action a dispatcher may be allowed; `assign` and `offer` have the candidates list instead. */
export const FORMS: Record<string, ActionForm> = {
  hand_back: { fields: [REASON, TEXT], grave: true },
  turn_back: { fields: [TEXT] },
  resolve_remotely: { fields: [{ ...TEXT_NEEDED, label: 'field_what_was_done' }] },
  hold: {
    fields: [REASON, { name: 'until', kind: 'instant' }, TEXT, { name: 'keep_engineer', kind: 'flag' }, { name: 'pauses_promise', kind: 'flag' }],
  },
  resume: { fields: [] },
  resume_kept: { fields: [] },
  sign_off: { fields: [{ ...TEXT_NEEDED, label: 'need_proof' }, { name: 'photo_ids', kind: 'photos' }] },
  reject: { fields: [REASON, TEXT], grave: true },
  reopen: { fields: [REASON, TEXT] },
  pay: { fields: [{ name: 'method', kind: 'method', required: true }, { name: 'amount_minor', kind: 'amount', required: true }, { name: 'reference', kind: 'line' }] },
  cancel: { fields: [REASON, TEXT], grave: true },
  mark_duplicate: { fields: [{ name: 'duplicate_of', kind: 'ticket', required: true }], grave: true },
  rebook: { fields: [{ name: 'window', kind: 'window', required: true }, TEXT] },
  contact: { fields: [{ ...TEXT_NEEDED, label: 'field_call_result' }, { name: 'window', kind: 'window' }] },
  note: { fields: [TEXT_NEEDED] },
  amend: {
    changesOnly: true,
    fields: [
      { name: 'description', kind: 'text', label: 'description' },
      { name: 'work_type', kind: 'work_type', label: 'work_type' },
      { name: 'priority', kind: 'priority', label: 'priority' },
      { name: 'address', kind: 'line', label: 'address' },
      { name: 'site', kind: 'site', label: 'site' },
      { name: 'door', kind: 'line', label: 'door' },
      { name: 'contact_name', kind: 'line', label: 'contact_name' },
      { name: 'contact_phone', kind: 'phone', label: 'contact_phone' },
      { name: 'due_at', kind: 'instant', label: 'due_at' },
    ],
  },
}

export interface PlacedSite {
  lon: number
  lat: number
}

export type Value = string | boolean | string[] | PlacedSite | null
/** Texts are as typed; times are wall-clock texts of a `datetime-local` input; a window is `window_from` and `window_to`. */
export type Values = Record<string, Value>
/** Key of the message to show, by field name. */
export type Errors = Record<string, 'missing_field' | 'window_order' | 'phone_wrong' | 'amount_wrong' | 'no_change'>
export type Built = { facts: Record<string, unknown>; errors: null } | { facts: null; errors: Errors }

const PHONE = /^[+0-9][0-9 ()-]{2,29}$/

/** The facts to send, or what is wrong with which field. `initial` is what the form opened with. */
export function buildFacts(form: ActionForm, values: Values, initial: Values, zone: string): Built {
  const facts: Record<string, unknown> = {}
  const errors: Errors = {}
  for (const field of form.fields) {
    if (field.kind === 'window') readWindow(field, values, zone, facts, errors)
    else readField(field, values, initial, zone, Boolean(form.changesOnly), facts, errors)
  }
  if (form.changesOnly && !Object.keys(facts).length && !Object.keys(errors).length) errors[form.fields[0]!.name] = 'no_change'
  return Object.keys(errors).length ? { facts: null, errors } : { facts, errors: null }
}

function readField(
  field: Field, values: Values, initial: Values, zone: string, changesOnly: boolean, facts: Record<string, unknown>, errors: Errors,
): void {
  const value = values[field.name] ?? null
  if (changesOnly && JSON.stringify(value) === JSON.stringify(initial[field.name] ?? null)) return
  const given = typeof value === 'string' ? value.trim() : value
  if (given === null || given === '' || given === false || (Array.isArray(given) && !given.length)) {
    if (field.required) errors[field.name] = 'missing_field'
    return
  }
  if (field.kind === 'amount') {
    const minor = readAmount(String(given))
    if (minor) facts[field.name] = minor
    else errors[field.name] = 'amount_wrong'
  } else if (field.kind === 'phone' && !PHONE.test(String(given))) errors[field.name] = 'phone_wrong'
  else if (field.kind === 'instant') {
    const instant = wallToInstant(String(given), zone)
    if (instant) facts[field.name] = instant
    else errors[field.name] = 'missing_field'
  } else facts[field.name] = given
}

/** 128.5 → 12850 without a float in between; null for anything but a positive amount with at most two decimals. */
export function readAmount(text: string): number | null {
  const found = /^(\d{1,9})(?:[.,](\d{1,2}))?$/.exec(text.trim())
  return found ? Number(found[1]! + (found[2] ?? '').padEnd(2, '0')) || null : null
}

function readWindow(field: Field, values: Values, zone: string, facts: Record<string, unknown>, errors: Errors): void {
  const from = wallToInstant(String(values['window_from'] ?? ''), zone)
  const to = wallToInstant(String(values['window_to'] ?? ''), zone)
  if (!from && !to && !field.required) return
  if (!from || !to) errors[field.name] = 'missing_field'
  else if (Date.parse(to) <= Date.parse(from)) errors[field.name] = 'window_order'
  else Object.assign(facts, { window_from: from, window_to: to })
}

/** The errors left after `changed` was typed: a field being mended is not wrong until it is sent again. */
export function errorsAfter(errors: Errors, changed: Values): Errors {
  const mended = new Set(Object.keys(changed).map((name) => (name.startsWith('window_') ? 'window' : name)))
  return Object.fromEntries(Object.entries(errors).filter(([name]) => !mended.has(name)))
}

/** What the amend form opens with. `toWall` writes an instant as the site's wall clock. */
export function amendValues(view: TicketView, toWall: (at: string) => string): Values {
  const { ticket } = view
  return {
    description: ticket.description,
    work_type: ticket.work_type.code,
    priority: ticket.priority,
    address: ticket.address,
    site: ticket.site ? { lon: ticket.site.lon, lat: ticket.site.lat } : null,
    door: view.door ?? '',
    contact_name: view.contact.name ?? '',
    contact_phone: view.contact.phone ?? '',
    due_at: ticket.due_at ? toWall(ticket.due_at) : '',
  }
}

const GROUPS: readonly (readonly string[])[] = [
  ['assign', 'offer', 'sign_off', 'resume_kept', 'resume', 'reopen', 'pay'],
  ['contact', 'rebook', 'note', 'amend', 'hold', 'resolve_remotely', 'turn_back'],
  ['reject', 'hand_back', 'mark_duplicate', 'cancel'],
]

/** The allowed actions in three groups: what moves the ticket on, what accompanies it, what undoes it. Unknown ones accompany. */
export function groupActions(allowed: readonly string[]): { forward: string[]; beside: string[]; undoing: string[] } {
  const known = new Set(GROUPS.flat())
  const [forward, beside, undoing] = GROUPS.map((group) => group.filter((action) => allowed.includes(action)))
  return { forward: forward!, beside: [...beside!, ...allowed.filter((action) => !known.has(action))], undoing: undoing! }
}
