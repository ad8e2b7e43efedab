/** The admin's forms: plain fields, one request each; what the server refuses is said above the fields. */

import type { ComponentChildren, JSX } from 'preact'
import { useState } from 'preact/hooks'
import { asRefused } from '../api'
import { Dialog } from '../parts/basics'
import { say } from '../state'
import { own, problemText, t, type Key } from '../words'
import type { Admin } from './admin_api'
import { FormEnd } from './proof_dialog'

interface FormProps {
  title: Key
  hint?: Key
  onClose: () => void
  save: (form: FormData) => Promise<void>
  children: ComponentChildren
}

export function FormDialog({ title, hint, onClose, save, children }: FormProps): JSX.Element {
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState('')
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    setBusy(true)
    setProblem('')
    try {
      await save(new FormData(event.currentTarget as HTMLFormElement))
      say('good', t('admin_saved'))
      onClose()
    } catch (error) {
      setProblem(problemText(asRefused(error)))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog name={t(title)} class="dialog" onClose={onClose}>
      <form class="admin-form" onSubmit={submit}>
        <h2>{t(title)}</h2>
        {hint && <p>{t(hint)}</p>}
        {problem && <p class="note" data-tone="bad" role="alert">{problem}</p>}
        {children}
        <FormEnd busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  )
}

export const textOf = (form: FormData, name: string): string => String(form.get(name) ?? '').trim()
export const textOrNull = (form: FormData, name: string): string | null => textOf(form, name) || null

type InputType = 'text' | 'password' | 'tel' | 'number' | 'date' | 'time'

export function TextField(props: {
  name: string
  label: Key
  type?: InputType
  required?: boolean
  value?: string
  pattern?: string
  minLength?: number
}): JSX.Element {
  const { name, label, type = 'text', required = true, value, pattern, minLength } = props
  return (
    <label class="field">
      <span>{t(label)}</span>
      <input
        name={name} type={type as 'text'} required={required} maxLength={200} autocomplete={type === 'password' ? 'new-password' : 'off'}
        {...(value === undefined ? {} : { defaultValue: value })} {...(pattern ? { pattern } : {})} {...(minLength ? { minLength } : {})}
      />
    </label>
  )
}

export function Choice({ name, label, options }: { name: string; label: Key; options: [value: string, text: string][] }): JSX.Element {
  return (
    <label class="field">
      <span>{t(label)}</span>
      <select name={name}>
        {options.map(([value, text]) => (
          <option key={value} value={value}>{text}</option>
        ))}
      </select>
    </label>
  )
}

export const languages = (): [string, string][] => [['zh', '中文'], ['en', 'English']]

export function territoryOptions(admin: Admin): [string, string][] {
  return [['', t('admin_any')], ...admin.territories.map((one): [string, string] => [one.territory_id, own(one.name)])]
}

/** One row a skill: not had, or its level. */
export function SkillLevels({ admin }: { admin: Admin }): JSX.Element {
  return (
    <fieldset class="levels">
      <legend>{t('admin_skills')}</legend>
      {admin.skills.map((skill) => (
        <label key={skill.code}>
          <span>{own(skill.name)}</span>
          <select name={`level-${skill.code}`}>
            {['–', 1, 2, 3, 4, 5].map((level) => <option key={level} value={level === '–' ? '' : level}>{level}</option>)}
          </select>
        </label>
      ))}
    </fieldset>
  )
}

export function levelsOf(form: FormData): Record<string, number> {
  const found = [...form.entries()].filter(([name, value]) => name.startsWith('level-') && value !== '')
  return Object.fromEntries(found.map(([name, value]) => [name.slice(6), Number(value)]))
}

/** Shifts of the days between two dates, in this screen's zone; a shift that ends before it starts ends the next day. */
export function spansOf(form: FormData): { starts_at: string; ends_at: string }[] {
  const spans = []
  const last = new Date(`${textOf(form, 'to')}T00:00`)
  for (const day = new Date(`${textOf(form, 'from')}T00:00`); day <= last && spans.length < 400; day.setDate(day.getDate() + 1)) {
    if (!form.get('weekends') && [0, 6].includes(day.getDay())) continue
    const at = (text: string, more = 0): Date => {
      const [hours = 0, minutes = 0] = text.split(':').map(Number)
      return new Date(day.getFullYear(), day.getMonth(), day.getDate() + more, hours, minutes)
    }
    const start = at(textOf(form, 'start'))
    const end = at(textOf(form, 'end'))
    spans.push({ starts_at: start.toISOString(), ends_at: (end > start ? end : at(textOf(form, 'end'), 1)).toISOString() })
  }
  return spans
}
