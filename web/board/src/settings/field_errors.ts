/** Which input of a form a refusal speaks of, so that it is said beside that input. */

import { createContext } from 'preact'
import type { Refused } from '../api'
import { problemText, t } from '../words'

/** Input name → what is wrong with it. */
export type FieldErrors = Record<string, string>
export const FieldErrorsOf = createContext<FieldErrors>({})

/** Codes that speak of one input. */
const CODE_FIELDS: Record<string, readonly string[]> = {
  signin_taken: ['signin_id'], code_taken: ['code'], line_twice: ['code', 'work_type'], work_type_unknown: ['work_type'], work_type_retired: ['work_type'], territory_unknown: ['territory_id'],
  contractor_unknown: ['contractor_id'], contractor_missing: ['contractor_id'], policy_exists: ['work_type'], part_unknown: ['part'], key_already_ended: ['expires'],
  shift_span_wrong: ['end', 'ends_at'], calendar_invalid: ['hours'], zone_unknown: ['zone'], window_invalid: ['ends_at'], contract_number_known: ['number'],
  customer_unknown: ['customer_phone'], span_out_of_range: ['before'], days_backwards: ['valid_until'], days_missing: ['valid_from'], rate_overlaps: ['valid_from'], url_not_https: ['url', 'issuer'], url_not_public: ['url', 'issuer'], url_malformed: ['url', 'issuer'],
  oidc_secret_wanted: ['client_secret'], dispatcher_unknown: ['dispatcher_id'], email_taken: ['email'], serial_missing: ['serial'], quantity_not_one: ['quantity', 'counted'], stock_short: ['quantity'],
  delivery_known: ['reference'], serial_known: ['serial'], serial_elsewhere: ['serial'], depot_unknown: ['depot_id'],
}

/** The refusal by input; `names` are the form's own. Empty where it speaks of none of them. */
export function fieldErrors(refused: Refused, names: ReadonlySet<string>): FieldErrors {
  if (refused.code === 'request_invalid') return malformed(refused.facts['fields'], names)
  const setting = refused.facts['setting']
  const wanted = typeof setting === 'string' ? [setting] : (CODE_FIELDS[refused.code] ?? [])
  const name = wanted.find((one) => names.has(one))
  return name ? { [name]: problemText(refused) } : {}
}

function malformed(fields: unknown, names: ReadonlySet<string>): FieldErrors {
  const found: FieldErrors = {}
  for (const one of Array.isArray(fields) ? fields : []) {
    const { field, why } = one as { field?: unknown; why?: unknown }
    const path = String(field ?? '').split('.').filter((part) => !/^\d+$/.test(part) && part !== 'body')
    // body.lines.3.name.zh is the input name_zh, or zh.
    const name = path.map((_, n) => path.slice(n).join('_')).find((whole) => names.has(whole))
    if (name) found[name] = wrongText(String(why ?? ''))
  }
  return found
}

function wrongText(why: string): string {
  if (why === 'missing' || why === 'string_too_short' || why === 'too_short') return t('field_wrong_missing')
  if (why.startsWith('greater_than') || why.startsWith('less_than')) return t('field_wrong_range')
  if (why === 'string_pattern_mismatch') return t('field_wrong_pattern')
  if (why === 'string_too_long' || why === 'too_long') return t('field_wrong_long')
  return t('field_wrong')
}
