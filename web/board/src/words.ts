/** Words in the dispatcher's language. Reading them inside a component follows the language switch. */

import { signal } from '@preact/signals'
import { admin } from '../../shared/messages/admin'
import { board } from '../../shared/messages/board'
import { bulk } from '../../shared/messages/bulk'
import { common } from '../../shared/messages/common'
import { problems } from '../../shared/messages/problems'
import { proof } from '../../shared/messages/proof'
import { settings } from '../../shared/messages/settings'
import { settingsDispatch } from '../../shared/messages/settings_dispatch'
import { settingsMoney } from '../../shared/messages/settings_money'
import { telling } from '../../shared/messages/telling'
import { fill, pick, readable, type Catalogue, type Facts, type Language } from '../../shared/words'
import type { Refused } from './api'
import type { Texts } from './wire'

const STORED = 'paidan.language'
const messages = { ...common, ...problems, ...board, ...bulk, ...admin, ...telling, ...settings, ...settingsDispatch, ...settingsMoney, ...proof }
const anyMessage: Catalogue = messages

export type Key = keyof typeof messages

function firstLanguage(): Language {
  const stored = globalThis.localStorage?.getItem(STORED)
  if (stored === 'zh' || stored === 'en') return stored
  return globalThis.navigator?.language.startsWith('zh') === false ? 'en' : 'zh'
}

export const language = signal<Language>(firstLanguage())

/** Chosen by hand: kept for the next time, and not overruled by the sign-in's language. */
export function chooseLanguage(chosen: Language): void {
  language.value = chosen
  localStorage.setItem(STORED, chosen)
}

/** The language of the sign-in, unless one was chosen by hand on this screen. */
export function suggestLanguage(suggested: Language): void {
  if (!localStorage.getItem(STORED)) language.value = suggested
}

/** The text for a key, `{name}` filled in. */
export function t(key: Key, facts: Facts = {}): string {
  return fill(pick(messages[key], language.value), facts)
}

/** The text for a key that may not exist. */
export function tryText(key: string, facts: Facts = {}): string | null {
  const entry = anyMessage[key]
  return entry ? fill(pick(entry, language.value), facts) : null
}

/** The label of a code, such as ("status", "on_site"); a code unknown here shows readable. */
export function label(kind: string, code: string): string {
  return tryText(`${kind}_${code}`) ?? readable(code)
}

/** The tenant's own text. */
export function own(texts: Texts): string {
  return texts[language.value] || texts.zh || texts.en
}

const listOf = (value: unknown): string[] => (Array.isArray(value) ? value.map(String) : [])

/** What a refusal means, in one sentence. */
export function problemText(refused: Refused): string {
  const { facts } = refused
  const separator = language.value === 'zh' ? '、' : ', '
  const known: Facts = {
    ...facts,
    code: refused.code,
    trace_id: refused.traceId || '–',
    action: label('action', String(facts['action'] ?? '')),
    status: label('status', String(facts['status'] ?? '')),
    missing: listOf(facts['missing']).map((need) => label('need', need)).join(separator),
    fields: fieldNames(facts).join(separator) || '–',
  }
  return tryText(`problem_${refused.code}`, known) ?? (refused.status >= 500 ? t('problem_internal', known) : t('problem_unexpected', known))
}

/** The fields a malformed request names, in words: the server says where in `facts.errors` or `facts.fields`. */
function fieldNames(facts: Facts): string[] {
  const errors = facts['errors'] ?? facts['fields']
  if (!Array.isArray(errors)) return []
  return errors.map((error: unknown) => {
    const where = typeof error === 'string' ? error : (error as { loc?: unknown; field?: unknown } | null)
    const path = typeof where === 'string' ? where : Array.isArray(where?.loc) ? String(where.loc.at(-1)) : String(where?.field ?? '')
    const name = path.split('.').at(-1) ?? path
    return tryText(name) ?? tryText(`field_${name}`) ?? readable(name)
  })
}
