import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { asRefused, uuid7 } from '../api'
import { InstantInput, Select, WindowField } from '../forms/fields'
import { buildFacts, errorsAfter, type ActionForm, type Errors, type PlacedSite, type Values } from '../forms/forms'
import { SitePlacer } from '../forms/site_placer'
import { IconButton } from '../parts/basics'
import { go, ticketHash } from '../route'
import { api, complain, loadBoard, say, workTypeOptions, zoneOf } from '../state'
import type { NewTicket } from '../wire'
import { t } from '../words'

/** What a new ticket asks; read by the same function as every action's form. */
const FORM: ActionForm = {
  fields: [
    { name: 'work_type', kind: 'work_type', required: true },
    { name: 'priority', kind: 'priority', required: true },
    { name: 'description', kind: 'text', required: true },
    { name: 'address', kind: 'line', required: true },
    { name: 'site', kind: 'site' },
    { name: 'door', kind: 'line' },
    { name: 'contact_name', kind: 'line' },
    { name: 'contact_phone', kind: 'phone' },
    { name: 'window', kind: 'window' },
    { name: 'due_at', kind: 'instant' },
  ],
}
const BLANK: Values = { priority: 'normal', site: null }

export function NewTicketPanel(): JSX.Element {
  const [values, setValues] = useState<Values>(BLANK)
  const [errors, setErrors] = useState<Errors>({})
  const [busy, setBusy] = useState(false)
  const commandId = useRef(uuid7())
  const element = useRef<HTMLFormElement>(null)
  const zone = zoneOf(null)
  const change = (changed: Values): void => {
    setValues((known) => ({ ...known, ...changed }))
    setErrors((known) => errorsAfter(known, changed))
  }

  useEffect(() => element.current?.querySelector<HTMLElement>('select')?.focus(), [])

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const built = buildFacts(FORM, values, {}, zone)
    setErrors(built.errors ?? {})
    if (!built.facts) {
      requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
      return
    }
    setBusy(true)
    try {
      const created = await api.create({ command_id: commandId.current, ...built.facts } as NewTicket)
      say('good', t('created_done', { no: created.ticket_no }))
      void loadBoard()
      go(ticketHash(created.ticket_id))
    } catch (error) {
      const refused = asRefused(error)
      if (refused.status > 0) commandId.current = uuid7()
      complain(refused)
    }
    setBusy(false)
  }

  const text = (name: string, props: { label: string; type?: 'text' | 'tel'; rows?: number; hint?: string; complete?: string }): JSX.Element => (
    <TextField name={name} {...props} required={FORM.fields.some((field) => field.name === name && field.required)} value={String(values[name] ?? '')} error={errors[name]} onChange={(value) => change({ [name]: value })} />
  )

  return (
    <section class="ticket-panel" aria-label={t('new_ticket')}>
      <header class="ticket-head">
        <IconButton icon="back" name={t('back')} class="only-narrow" onClick={() => go('#/')} />
        <h2>{t('new_ticket')}</h2>
        <span class="spring" />
        <IconButton icon="close" name={t('close')} class="only-wide" onClick={() => go('#/')} />
      </header>
      <form ref={element} class="ticket-scroll new-form" onSubmit={submit} noValidate>
        <div class="pair">
          <LabelledSelect name="work_type" label={t('work_type')} error={errors['work_type']} value={String(values['work_type'] ?? '')} onChange={(value) => change({ work_type: value })} options={workTypeOptions()} />
          <LabelledSelect name="priority" label={t('priority')} error={errors['priority']} value={String(values['priority'])} onChange={(value) => change({ priority: value })} options={(['urgent', 'high', 'normal', 'low'] as const).map((code) => [code, t(`priority_${code}`)])} />
        </div>
        {text('description', { label: t('description'), rows: 3, hint: t('placeholder_description') })}
        {text('address', { label: t('address'), hint: t('address_hint'), complete: 'off' })}
        <SitePlacer address={String(values['address'] ?? '')} site={values['site'] as PlacedSite | null} onPlace={(site, address) => change(address ? { site, address } : { site })} />
        {text('door', { label: t('door') })}
        <div class="pair">
          {text('contact_name', { label: t('contact_name'), complete: 'off' })}
          {text('contact_phone', { label: t('contact_phone'), type: 'tel', complete: 'off' })}
        </div>
        <WindowField field={{ name: 'window', kind: 'window' }} zone={zone} values={values} errors={errors} onChange={change} />
        <div class="field">
          <label for="new-due">{t('due_at')} <small>{t('optional')}</small></label>
          <InstantInput common={{ id: 'new-due' }} zone={zone} value={String(values['due_at'] ?? '')} onChange={(value) => change({ due_at: value })} />
        </div>
        <div class="form-buttons sticky">
          <button type="button" class="button" onClick={() => go('#/')}>{t('cancel_form')}</button>
          <button class="button primary" disabled={busy}>{t('create')}</button>
        </div>
      </form>
    </section>
  )
}

function TextField(props: {
  name: string
  label: string
  type?: 'text' | 'tel'
  rows?: number
  hint?: string
  complete?: string
  required: boolean
  value: string
  error: Errors[string] | undefined
  onChange: (value: string) => void
}): JSX.Element {
  const id = useId()
  const common = {
    id,
    name: props.name,
    value: props.value,
    maxLength: props.rows ? 4_000 : 500,
    placeholder: props.hint ?? '',
    'aria-invalid': props.error ? true : undefined,
    'aria-describedby': props.error ? `${id}-error` : undefined,
  } as const
  return (
    <div class="field">
      <label for={id}>
        {props.label}
        {!props.required && <small>{t('optional')}</small>}
      </label>
      {props.rows ? (
        <textarea {...common} rows={props.rows} onInput={(event) => props.onChange(event.currentTarget.value)} />
      ) : (
        <input {...common} type={(props.type ?? 'text') as 'text'} autocomplete={props.complete ?? 'off'} onInput={(event) => props.onChange(event.currentTarget.value)} />
      )}
      {props.error && <p class="field-error" id={`${id}-error`}>{t(props.error)}</p>}
    </div>
  )
}

function LabelledSelect(props: {
  name: string
  label: string
  error: Errors[string] | undefined
  value: string
  onChange: (value: string) => void
  options: [string, string][]
}): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <Select id={id} aria-invalid={props.error ? true : undefined} aria-describedby={props.error ? `${id}-error` : undefined} value={props.value} onChange={props.onChange} options={props.options} />
      {props.error && <p class="field-error" id={`${id}-error`}>{t(props.error)}</p>}
    </div>
  )
}
