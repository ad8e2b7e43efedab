/** The admin's forms: plain fields, one request each; what the server refuses is said above the fields. */

import type { ComponentChildren, JSX } from 'preact'
import { useContext, useId, useRef, useState } from 'preact/hooks'
import { asRefused } from '../api'
import { Dialog } from '../parts/basics'
import { fieldErrors, FieldErrorsOf, type FieldErrors } from '../settings/field_errors'
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
  const [errors, setErrors] = useState<FieldErrors>({})
  const element = useRef<HTMLFormElement>(null)
  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const form = event.currentTarget as HTMLFormElement
    setBusy(true)
    setProblem('')
    setErrors({})
    try {
      await save(new FormData(form))
      say('good', t('admin_saved'))
      onClose()
    } catch (error) {
      const refused = asRefused(error)
      const beside = fieldErrors(refused, new Set([...form.elements].map((one) => (one as HTMLInputElement).name)))
      setErrors(beside)
      if (!Object.keys(beside).length) setProblem(problemText(refused))
      requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog name={t(title)} class="dialog" onClose={onClose}>
      <form ref={element} class="admin-form" onSubmit={submit}>
        <h2>{t(title)}</h2>
        {hint && <p>{t(hint)}</p>}
        {problem && <p class="note" data-tone="bad" role="alert">{problem}</p>}
        <FieldErrorsOf.Provider value={errors}>{children}</FieldErrorsOf.Provider>
        <FormEnd busy={busy} onCancel={onClose} />
      </form>
    </Dialog>
  )
}

/** A labelled input with what is wrong with it below; `children` gets the attributes that tie the three together. */
export function Labelled({ name, label, hint, children }: {
  name: string
  label: string
  hint?: string
  children: (tied: { id: string; name: string; 'aria-invalid'?: true; 'aria-describedby'?: string }) => JSX.Element
}): JSX.Element {
  const id = useId()
  const error = useContext(FieldErrorsOf)[name]
  const said = error ?? hint
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, name, ...(error ? { 'aria-invalid': true as const } : {}), ...(said ? { 'aria-describedby': `${id}-said` } : {}) })}
      {said && <small id={`${id}-said`} class={error ? 'field-error' : 'hint'} role={error ? 'alert' : undefined}>{said}</small>}
    </div>
  )
}

export const textOf = (form: FormData, name: string): string => String(form.get(name) ?? '').trim()
export const textOrNull = (form: FormData, name: string): string | null => textOf(form, name) || null

type InputType = 'text' | 'password' | 'tel' | 'number' | 'date' | 'time' | 'datetime-local' | 'url' | 'email'

export function TextField(props: {
  name: string
  label: Key
  type?: InputType
  required?: boolean
  value?: string
  pattern?: string
  minLength?: number
  maxLength?: number
  least?: number
  most?: number
  step?: number | 'any'
  hint?: string
  placeholder?: string
}): JSX.Element {
  const { name, label, type = 'text', required = true, value, pattern, minLength, maxLength = 200, least, most, step, hint, placeholder } = props
  const limits = {
    ...(value === undefined ? {} : { defaultValue: value }), ...(pattern ? { pattern } : {}), ...(minLength ? { minLength } : {}), ...(placeholder ? { placeholder } : {}),
    ...(least === undefined ? {} : { min: least }), ...(most === undefined ? {} : { max: most }), ...(step === undefined ? {} : { step }),
  }
  return (
    <Labelled name={name} label={t(label)} {...(hint ? { hint } : {})}>
      {(tied) => <input {...tied} type={type as 'text'} required={required} maxLength={maxLength} autocomplete={type === 'password' ? 'new-password' : 'off'} {...limits} />}
    </Labelled>
  )
}

export function Choice({ name, label, options, value, onChange }: {
  name: string
  label: Key
  options: (readonly [value: string, text: string])[]
  value?: string
  onChange?: (value: string) => void
}): JSX.Element {
  return (
    <Labelled name={name} label={t(label)}>
      {(tied) => (
        <select {...tied} onChange={(event) => onChange?.(event.currentTarget.value)}>
          {options.map(([code, text]) => (
            <option key={code} value={code} selected={code === (value ?? '')}>{text}</option>
          ))}
        </select>
      )}
    </Labelled>
  )
}

export function Check({ name, label, value }: { name: string; label: Key; value?: boolean }): JSX.Element {
  return (
    <label class="check">
      <input type="checkbox" name={name} defaultChecked={value ?? false} />
      {t(label)}
    </label>
  )
}

/** A name in both languages, side by side. */
export function BothNames({ value }: { value?: { zh: string; en: string } }): JSX.Element {
  return (
    <div class="pair">
      <TextField name="name_zh" label="admin_name_zh" value={value?.zh ?? ''} />
      <TextField name="name_en" label="admin_name_en" value={value?.en ?? ''} />
    </div>
  )
}

export const bothOf = (form: FormData): { zh: string; en: string } => ({ zh: textOf(form, 'name_zh'), en: textOf(form, 'name_en') })

export const languages = (): [string, string][] => [['zh', '中文'], ['en', 'English']]

export function territoryOptions(admin: Admin): [string, string][] {
  return [['', t('admin_any')], ...admin.territories.map((one): [string, string] => [one.territory_id, own(one.name)])]
}

/** One row a skill: not had, or its level. */
export function SkillLevels({ admin }: { admin: Admin }): JSX.Element {
  return (
    <fieldset class="levels">
      <legend>{t('admin_skills')}</legend>
      {admin.skills.filter((skill) => !skill.retired).map((skill) => (
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
