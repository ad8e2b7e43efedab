import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { readDispatchers, readEngineers } from '../admin/admin_api'
import { Choice, FormDialog, TextField, textOf } from '../admin/forms'
import { putTargets, type TellSettings } from '../rules/rules_api'
import type { Uuid } from '../wire'
import { label, t } from '../words'
import { Part, RowButton, Table, usePaged } from './parts'

/** Channels whose address an admin can know. */
const CHANNELS = ['wecom', 'sms', 'voice', 'mail'] as const
const MOST = 4

interface Person {
  kind: 'engineer' | 'dispatcher'
  id: Uuid
  name: string
}

const ENGINEERS = 'engineers'

/** Dispatchers page by page, then engineers: a page's name says where it stands in which of the two lists. */
async function readPeople(page: string | null): Promise<{ rows: Person[]; next: string | null }> {
  const [list, after] = page?.split(' ') ?? []
  if (list === ENGINEERS) {
    const { rows, next } = await readEngineers('', after || null)
    const people = rows.filter((one) => one.active).map((one): Person => ({ kind: 'engineer', id: one.engineer_id, name: one.name }))
    return { rows: people, next: next && `${ENGINEERS} ${next}` }
  }
  const { rows, next } = await readDispatchers(after || null)
  const people = rows.filter((one) => one.active).map((one): Person => ({ kind: 'dispatcher', id: one.dispatcher_id, name: one.name }))
  if (next) return { rows: people, next: `dispatchers ${next}` }
  const others = await readPeople(`${ENGINEERS} `)
  return { rows: [...people, ...others.rows], next: others.next }
}

/** Where each person is told, in order of preference. Addresses are kept encrypted and never shown again. */
export function Targets({ settings, reload }: { settings: TellSettings; reload: () => Promise<void> }): JSX.Element {
  const { rows, next, waiting } = usePaged(readPeople)
  const [open, setOpen] = useState<Person | null>(null)
  if (!rows) return waiting!
  const of = (person: Person) => settings.targets.filter((one) => one.person_id === person.id)
  return (
    <Part title="targets" lead="targets_lead">
      <Table
        name="targets"
        rows={rows}
        next={next}
        id={(one) => one.id}
        empty="operations_devices_none"
        columns={[
          { name: 'admin_name', cell: (one) => <><strong>{one.name}</strong> <small>{label('person', one.kind)}</small></> },
          { name: 'targets_order', cell: (one) => (of(one).length ? of(one).map((target) => <Mark key={target.channel + target.preference} channel={target.channel} gone={target.gone_at !== null} />) : <span class="faint">{t('targets_usual')}</span>) },
        ]}
        does={(one) => <RowButton label="edit" about={one.name} onClick={() => setOpen(one)} />}
      />
      {open && <TargetForm person={open} reload={reload} onClose={() => setOpen(null)} />}
    </Part>
  )
}

function Mark({ channel, gone }: { channel: string; gone: boolean }): JSX.Element {
  return <span class="tag target" data-tone={gone ? 'warn' : undefined}>{label('channel', channel)}{gone && ` · ${t('targets_gone')}`}</span>
}

function TargetForm({ person, reload, onClose }: { person: Person; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  async function save(form: FormData): Promise<void> {
    const rows = [...Array(MOST).keys()].map((n) => ({ channel: textOf(form, `channel_${n}`), address: textOf(form, `address_${n}`) }))
    await putTargets(person.kind, person.id, rows.filter((one) => one.channel && one.address))
    await reload()
  }
  return (
    <FormDialog title="targets" hint="targets_hint" save={save} onClose={onClose}>
      <p><strong>{person.name}</strong></p>
      {[...Array(MOST).keys()].map((n) => (
        <div key={n} class="pair">
          <Choice name={`channel_${n}`} label="operations_channel" options={[['', '–'], ...CHANNELS.map((one): [string, string] => [one, label('channel', one)])]} />
          <TextField name={`address_${n}`} label="targets_address" required={false} maxLength={300} />
        </div>
      ))}
    </FormDialog>
  )
}
