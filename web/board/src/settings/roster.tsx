import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { instantToWall, windowText } from '../../../shared/formats'
import { Choice, FormDialog, TextField, textOf } from '../admin/forms'
import { Refused } from '../api'
import { engineers, now, zoneOf } from '../state'
import { label, language, t } from '../words'
import { AddButton, change, Part, RowButton, Table, usePaged } from './parts'
import { addShifts, dropShift, readShifts } from './settings_api'
import { spansFrom } from './values'

/** Who works and who is on call in the next four weeks. */
export function Roster(): JSX.Element {
  const [kind, setKind] = useState('')
  const [engineer, setEngineer] = useState('')
  const [adding, setAdding] = useState(false)
  const { rows, next, reload, waiting } = usePaged((page) => readShifts({ kind, engineer_id: engineer, page }), `${kind} ${engineer}`)
  const zone = zoneOf(null)
  return (
    <Part title="roster" lead="roster_zone" action={<AddButton label="roster_add" onClick={() => setAdding(true)} />}>
      <div class="inline-form">
        <label class="field">
          <span>{t('engineer')}</span>
          <select value={engineer} onChange={(event) => setEngineer(event.currentTarget.value)}>
            <option value="">{t('roster_everyone')}</option>
            {engineers.value.map((one) => <option key={one.engineer_id} value={one.engineer_id}>{one.name}</option>)}
          </select>
        </label>
        <div class="views" role="group" aria-label={t('roster_kind')}>
          {(['', 'work', 'on_call'] as const).map((one) => (
            <button key={one} type="button" class="view" aria-pressed={kind === one} onClick={() => setKind(one)}>{t(`shift_${one || 'all'}`)}</button>
          ))}
        </div>
      </div>
      {waiting ?? (
        <Table
          name="roster"
          rows={rows!}
          id={(one) => one.shift_id}
          next={next}
          empty="roster_none"
          hint="roster_none_hint"
          columns={[
            { name: 'engineer', cell: (one) => <strong>{one.engineer_name}</strong> },
            { name: 'roster_kind', cell: (one) => <span class="tag" data-tone={one.kind === 'on_call' ? 'warn' : undefined}>{label('shift', one.kind)}</span> },
            { name: 'roster_when', cell: (one) => windowText(one.starts_at, one.ends_at, zone, now.value, language.value) },
          ]}
          does={(one) => <RowButton label="remove" about={one.engineer_name} onClick={() => void change(() => dropShift(one.shift_id), reload)} />}
        />
      )}
      {adding && <ShiftForm reload={reload} onClose={() => setAdding(false)} />}
    </Part>
  )
}

function ShiftForm({ reload, onClose }: { reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const zone = zoneOf(null)
  const [kind, setKind] = useState('on_call')
  async function save(form: FormData): Promise<void> {
    const spans = spansFrom(textOf(form, 'day'), Number(textOf(form, 'days')), textOf(form, 'start'), textOf(form, 'end'), zone)
    if (spans.some((one) => !one.starts_at || !one.ends_at)) throw new Refused('shift_span_wrong', 422)
    await addShifts(textOf(form, 'engineer_id'), spans.map((span) => ({ kind, ...span })))
    await reload()
  }
  return (
    <FormDialog title="roster_add" save={save} onClose={onClose}>
      <Choice name="engineer_id" label="engineer" options={engineers.value.map((one) => [one.engineer_id, one.name])} />
      <Choice name="kind" label="roster_kind" options={(['on_call', 'work'] as const).map((one) => [one, t(`shift_${one}`)])} value={kind} onChange={setKind} />
      <p class="hint">{t(kind === 'on_call' ? 'shift_on_call_means' : 'shift_work_means')}</p>
      <div class="pair">
        <TextField name="day" label="roster_day" type="date" value={instantToWall(now.value, zone).slice(0, 10)} />
        <TextField name="days" label="roster_days" type="number" least={1} most={60} value="1" />
        <TextField key={`start ${kind}`} name="start" label="admin_start" type="time" value={kind === 'on_call' ? '18:00' : '09:00'} />
        <TextField key={`end ${kind}`} name="end" label="admin_end" type="time" value={kind === 'on_call' ? '08:00' : '18:00'} hint={t('roster_next_day')} />
      </div>
    </FormDialog>
  )
}
