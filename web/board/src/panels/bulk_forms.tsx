import type { JSX } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { dayTime, instantToWall, wallToInstant } from '../../../shared/formats'
import { uuid7 } from '../api'
import { Select } from '../forms/fields'
import { Empty } from '../parts/basics'
import { api, catalogue, complain, engineers, now, zoneOf } from '../state'
import type { BoardTicket, BulkReport } from '../wire'
import { label, language, own, t } from '../words'

const REASONS = ['sick', 'vehicle', 'overloaded', 'other'] as const
const HOUR_MS = 3_600_000
const LATER_H = [2, 4, 24, 48, 72] as const
const MOST = 200

interface Done {
  onDone: (report: BulkReport) => void
}

/** One engineer, from when to when, why: their tickets go to others. */
export function EngineerOut({ onDone }: Done): JSX.Element {
  const zone = zoneOf(null)
  const id = useId()
  const [engineer, setEngineer] = useState('')
  const [from, setFrom] = useState(instantToWall(now.value, zone))
  const [to, setTo] = useState(instantToWall(now.value + 24 * HOUR_MS, zone))
  const [reason, setReason] = useState<string>('sick')
  const [busy, setBusy] = useState(false)

  async function send(): Promise<void> {
    const span = [wallToInstant(from, zone), wallToInstant(to, zone)]
    if (!engineer || !span[0] || !span[1]) return
    setBusy(true)
    try {
      onDone(await api.engineerOut(engineer, { command_id: uuid7(), starts_at: span[0], ends_at: span[1], reason }))
      setEngineer('')
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }

  const names = [...engineers.value].sort((a, b) => a.name.localeCompare(b.name, language.value))
  return (
    <form class="bulk-form" aria-labelledby={`${id}-title`} onSubmit={(event) => (event.preventDefault(), void send())}>
      <h2 id={`${id}-title`}>{t('out_title')}</h2>
      <p class="hint">{t('out_lead')}</p>
      <div class="field">
        <label for={`${id}-who`}>{t('engineer')}</label>
        <Select id={`${id}-who`} value={engineer} onChange={setEngineer} options={names.map((one) => [one.engineer_id, one.name])} />
      </div>
      <div class="bulk-pair">
        <div class="field">
          <label for={`${id}-from`}>{t('field_window_from')}</label>
          <input id={`${id}-from`} type="datetime-local" value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
        </div>
        <div class="field">
          <label for={`${id}-to`}>{t('field_window_to')}</label>
          <input id={`${id}-to`} type="datetime-local" value={to} onInput={(event) => setTo(event.currentTarget.value)} />
        </div>
      </div>
      <div class="field">
        <label for={`${id}-why`}>{t('field_reason')}</label>
        <Select id={`${id}-why`} value={reason} onChange={setReason} options={REASONS.map((code) => [code, label('reason', code)])} />
      </div>
      <button type="submit" class="button primary wide" disabled={busy || !engineer}>{t('out_do')}</button>
    </form>
  )
}

/** Tickets not begun yet, chosen from a territory, so many hours later. */
/** Every ticket of this status, page after page, up to what one action moves. */
async function allOf(status: string): Promise<BoardTicket[]> {
  const found: BoardTicket[] = []
  let page: string | null = null
  do {
    const next: { tickets: BoardTicket[]; next_page: string | null } = await api.tickets({ status, page })
    found.push(...next.tickets)
    page = next.next_page
  } while (page && found.length < MOST)
  return found
}

export function RebookMany({ onDone }: Done): JSX.Element {
  const id = useId()
  const [territory, setTerritory] = useState('')
  const [later, setLater] = useState('24')
  const [all, setAll] = useState<BoardTicket[]>([])
  const [chosen, setChosen] = useState<readonly string[]>([])
  const [busy, setBusy] = useState(false)
  const load = (): void =>
    void Promise.all(['open', 'offered', 'assigned'].map(allOf)).then((found) => setAll(found.flat()), complain)
  useEffect(load, [])
  const shown = all.filter((one) => !territory || one.territory_id === territory).slice(0, MOST)
  const taken = shown.filter((one) => chosen.includes(one.ticket_id))

  async function send(): Promise<void> {
    setBusy(true)
    try {
      onDone(await api.rebookMany({ command_id: uuid7(), ticket_ids: taken.map((one) => one.ticket_id), later_min: Number(later) * 60 }))
      setChosen([])
      load()
    } catch (error) {
      complain(error)
    }
    setBusy(false)
  }

  return (
    <form class="bulk-form" aria-labelledby={`${id}-title`} onSubmit={(event) => (event.preventDefault(), void send())}>
      <h2 id={`${id}-title`}>{t('rebook_title')}</h2>
      <p class="hint">{t('rebook_lead')}</p>
      <div class="bulk-pair">
        <div class="field">
          <label for={`${id}-where`}>{t('territory')}</label>
          <select id={`${id}-where`} value={territory} onChange={(event) => setTerritory(event.currentTarget.value)}>
            <option value="">{t('rebook_all')}</option>
            {(catalogue.value?.territories ?? []).map((one) => <option key={one.territory_id} value={one.territory_id}>{own(one.name)}</option>)}
          </select>
        </div>
        <div class="field">
          <label for={`${id}-later`}>{t('rebook_later')}</label>
          <select id={`${id}-later`} value={later} onChange={(event) => setLater(event.currentTarget.value)}>
            {LATER_H.map((h) => <option key={h} value={String(h)}>{t('in_hours', { n: h })}</option>)}
          </select>
        </div>
      </div>
      {shown.length === 0 ? (
        <Empty title={t('rebook_none')} />
      ) : (
        <fieldset class="bulk-tickets">
          <legend class="unseen">{t('queue')}</legend>
          <label class="check">
            <input type="checkbox" checked={taken.length === shown.length} onChange={(event) => setChosen(event.currentTarget.checked ? shown.map((one) => one.ticket_id) : [])} />
            {t('rebook_choose_all')}
          </label>
          {shown.map((one) => (
            <label key={one.ticket_id} class="check">
              <input
                type="checkbox"
                checked={chosen.includes(one.ticket_id)}
                onChange={(event) => setChosen(event.currentTarget.checked ? [...chosen, one.ticket_id] : chosen.filter((each) => each !== one.ticket_id))}
              />
              <span>{one.ticket_no} · {own(one.work_type.name)} <small>{one.address}</small></span>
              <small>{one.window ? dayTime(one.window.start, zoneOf(one), now.value, language.value) : label('status', one.status)} {one.engineer_name ?? ''}</small>
            </label>
          ))}
        </fieldset>
      )}
      <button type="submit" class="button primary wide" disabled={busy || !taken.length}>{t('rebook_do', { n: taken.length })}</button>
    </form>
  )
}
