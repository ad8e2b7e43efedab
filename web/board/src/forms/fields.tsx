/** The inputs a form is made of, each with its label, its error, and its quick choices. */

import type { JSX } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { instantToWall } from '../../../shared/formats'
import { api, catalogue, complain, now, workTypeOptions } from '../state'
import type { BoardTicket, TicketView } from '../wire'
import { label, own, t, tryText, type Key } from '../words'
import { uuid7 } from '../api'
import { SitePlacer } from './site_placer'
import type { Errors, Field, PlacedSite, Values } from './forms'

interface FieldsProps {
  fields: readonly Field[]
  action: string
  view: TicketView | null
  zone: string
  values: Values
  errors: Errors
  onChange: (changed: Values) => void
}

export function ActionFields(props: FieldsProps): JSX.Element {
  return <>{props.fields.map((field) => <OneField key={field.name} {...props} field={field} />)}</>
}

function fieldLabel(field: Field): string {
  return tryText(field.label ?? `field_${field.name}`) ?? tryText(field.name) ?? field.name
}

function OneField(props: FieldsProps & { field: Field }): JSX.Element {
  const { field, values, errors, onChange } = props
  const id = useId()
  const error = errors[field.name]
  const value = values[field.name]
  const common = { id, 'aria-invalid': error ? true : undefined, 'aria-describedby': error ? `${id}-error` : undefined } as const
  const set = (changed: Values[string]): void => onChange({ [field.name]: changed })

  if (field.kind === 'flag') {
    return (
      <label class="check">
        <input type="checkbox" checked={Boolean(value)} onChange={(event) => set(event.currentTarget.checked)} />
        {fieldLabel(field)}
      </label>
    )
  }
  if (field.kind === 'window') return <WindowField {...props} />
  return (
    <div class="field">
      <label for={id}>
        {fieldLabel(field)}
        {!field.required && field.label === undefined && <small>{t('optional')}</small>}
      </label>
      {field.kind === 'reason' && (
        <Select {...common} value={String(value ?? '')} onChange={set} options={reasons(props.action).map((code) => [code, label('reason', code)])} />
      )}
      {field.kind === 'priority' && (
        <Select {...common} value={String(value ?? '')} onChange={set} options={(['urgent', 'high', 'normal', 'low'] as const).map((code) => [code, t(`priority_${code}`)])} />
      )}
      {field.kind === 'work_type' && (
        <Select {...common} value={String(value ?? '')} onChange={set} options={workTypeOptions(props.view?.ticket.work_type.code)} />
      )}
      {field.kind === 'text' && (
        <textarea {...common} rows={3} maxLength={4_000} value={String(value ?? '')} onInput={(event) => set(event.currentTarget.value)} />
      )}
      {field.kind === 'method' && (
        <Select {...common} value={String(value ?? '')} onChange={set} options={['wechat', 'alipay', 'card', 'cash', 'transfer'].map((code) => [code, label('pay', code)])} />
      )}
      {field.kind === 'amount' && <input {...common} type="text" inputMode="decimal" maxLength={12} value={String(value ?? '')} onInput={(event) => set(event.currentTarget.value)} />}
      {field.kind === 'line' && <input {...common} type="text" maxLength={500} value={String(value ?? '')} onInput={(event) => set(event.currentTarget.value)} />}
      {field.kind === 'phone' && <input {...common} type="tel" maxLength={30} value={String(value ?? '')} onInput={(event) => set(event.currentTarget.value)} />}
      {field.kind === 'instant' && <InstantInput common={common} zone={props.zone} value={String(value ?? '')} onChange={set} />}
      {field.kind === 'ticket' && <TicketFinder common={common} not={props.view?.ticket.ticket_id ?? ''} onChange={set} />}
      {field.kind === 'photos' && props.view && <PhotoUpload common={common} view={props.view} chosen={(value as string[] | null) ?? []} onChange={set} />}
      {field.kind === 'site' && <SitePlacer id={id} address={String(values['address'] ?? '')} site={(value as PlacedSite | null) ?? null} onPlace={(site, text) => onChange(text ? { site, address: text } : { site })} />}
      {error && <p class="field-error" id={`${id}-error`}>{t(error)}</p>}
    </div>
  )
}

function reasons(action: string): string[] {
  return catalogue.value?.reasons[action] ?? []
}

type Common = { id: string; 'aria-invalid': true | undefined; 'aria-describedby': string | undefined }

export function Select({ value, onChange, options, ...common }: Partial<Common> & {
  value: string
  onChange: (value: string) => void
  options: [string, string][]
}): JSX.Element {
  return (
    <select {...common} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      <option value="" disabled>{t('choose')}</option>
      {options.map(([code, name]) => (
        <option key={code} value={code}>{name}</option>
      ))}
    </select>
  )
}

const HOUR_MS = 3_600_000

export function InstantInput({ common, zone, value, onChange }: { common?: Partial<Common>; zone: string; value: string; onChange: (wall: string) => void }): JSX.Element {
  const quick: [string, number][] = [
    [t('in_hours', { n: 2 }), 2], [t('in_hours', { n: 4 }), 4], [t('in_days', { n: 1 }), 24], [t('in_days', { n: 3 }), 72],
  ]
  return (
    <>
      <input {...common} type="datetime-local" value={value} onInput={(event) => onChange(event.currentTarget.value)} />
      <div class="quick">
        {quick.map(([name, hours]) => (
          <button key={name} type="button" class="chip" onClick={() => onChange(instantToWall(now.value + hours * HOUR_MS, zone))}>{name}</button>
        ))}
        <small>{t('zone_note', { zone })}</small>
      </div>
    </>
  )
}

/** From and to on the site's wall clock, with the windows dispatchers give most. */
export function WindowField({ field, zone, values, errors, onChange }: Pick<FieldsProps, 'zone' | 'values' | 'errors' | 'onChange'> & { field: Field }): JSX.Element {
  const id = useId()
  const error = errors[field.name]
  const set = (from: string, to: string): void => onChange({ window_from: from, window_to: to })
  const tomorrow = instantToWall(now.value + 24 * HOUR_MS, zone).slice(0, 10)
  const next = (hours: number): [string, string] => [instantToWall(now.value, zone), instantToWall(now.value + hours * HOUR_MS, zone)]
  return (
    <fieldset class="field window-field" aria-invalid={error ? true : undefined} tabIndex={-1}>
      <legend>
        {t('window')}
        {!field.required && <small>{t('optional')}</small>}
      </legend>
      <div class="pair">
        <label for={`${id}-from`}>
          <span>{t('field_window_from')}</span>
          <input id={`${id}-from`} type="datetime-local" value={String(values['window_from'] ?? '')} onInput={(event) => onChange({ window_from: event.currentTarget.value })} />
        </label>
        <label for={`${id}-to`}>
          <span>{t('field_window_to')}</span>
          <input id={`${id}-to`} type="datetime-local" value={String(values['window_to'] ?? '')} onInput={(event) => onChange({ window_to: event.currentTarget.value })} />
        </label>
      </div>
      <div class="quick">
        <button type="button" class="chip" onClick={() => set(...next(2))}>{t('window_next', { n: 2 })}</button>
        <button type="button" class="chip" onClick={() => set(...next(4))}>{t('window_next', { n: 4 })}</button>
        <button type="button" class="chip" onClick={() => set(`${tomorrow}T09:00`, `${tomorrow}T12:00`)}>{t('window_morning')}</button>
        <button type="button" class="chip" onClick={() => set(`${tomorrow}T13:00`, `${tomorrow}T17:00`)}>{t('window_afternoon')}</button>
        <small>{t('zone_note', { zone })}</small>
      </div>
      {error && <p class="field-error">{t(error as Key)}</p>}
    </fieldset>
  )
}

function TicketFinder({ common, not, onChange }: { common: Common; not: string; onChange: (ticketId: string) => void }): JSX.Element {
  const [text, setText] = useState('')
  const [found, setFound] = useState<BoardTicket[]>([])
  const [chosen, setChosen] = useState<BoardTicket | null>(null)
  useEffect(() => {
    if (text.trim().length < 2) return setFound([])
    const timer = setTimeout(() => {
      api.tickets({ q: text.trim() }).then((page) => setFound(page.tickets.filter((one) => one.ticket_id !== not).slice(0, 6)), complain)
    }, 250)
    return () => clearTimeout(timer)
  }, [text])
  if (chosen) {
    return (
      <p class="chosen-ticket">
        <strong>{chosen.ticket_no}</strong> {own(chosen.work_type.name)} · {chosen.address}
        <button type="button" class="chip" onClick={() => (setChosen(null), onChange(''))}>{t('retry')}</button>
      </p>
    )
  }
  return (
    <>
      <input {...common} type="search" placeholder={t('field_duplicate_find')} value={text} onInput={(event) => setText(event.currentTarget.value)} />
      <ul class="suggestions">
        {found.map((ticket) => (
          <li key={ticket.ticket_id}>
            <button type="button" onClick={() => (setChosen(ticket), onChange(ticket.ticket_id))}>
              <strong>{ticket.ticket_no}</strong> {own(ticket.work_type.name)} <small>{ticket.address}</small>
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}

/** Photos brought by the dispatcher as proof, such as a signed slip sent by message. */
function PhotoUpload({ common, view, chosen, onChange }: { common: Common; view: TicketView; chosen: string[]; onChange: (ids: string[]) => void }): JSX.Element {
  const [busy, setBusy] = useState(false)
  async function upload(files: FileList | null): Promise<void> {
    setBusy(true)
    const added: string[] = []
    for (const file of files ?? []) {
      const id = uuid7()
      try {
        await api.putPhoto(id, view.ticket.ticket_id, 'signature', file)
        added.push(id)
      } catch (error) {
        complain(error)
      }
    }
    if (added.length) onChange([...chosen, ...added])
    setBusy(false)
  }
  return (
    <div class="photo-choice">
      {chosen.map((id) => (
        <img key={id} src={api.photoUrl(id, 'thumb')} alt={label('photo', 'signature')} width="64" height="48" />
      ))}
      <input {...common} type="file" accept="image/*" multiple disabled={busy} onChange={(event) => void upload(event.currentTarget.files)} />
    </div>
  )
}
