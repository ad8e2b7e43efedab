import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { instantToWall, wallToInstant, windowText } from '../../../shared/formats'
import { Choice, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { uuid7 } from '../api'
import { now, zoneOf } from '../state'
import { label, language, t } from '../words'
import { AddButton, change, dateText, Part, RowButton, Table, useLoaded } from './parts'
import { dropContract, dropDuty, putContract, putDuty, readDuties, type Contract, type Duty, type DutySettings } from './settings_api'

type Open = { form: 'contract'; contract: Contract | null } | { form: 'duty'; duty: Duty | null } | null

/** Which customers were promised something of their own, and who is told when a promise is about to break. */
export function ContractsAndDuties(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readDuties)
  const [open, setOpen] = useState<Open>(null)
  if (!value) return waiting!
  const close = (): void => setOpen(null)
  const zone = zoneOf(null)
  return (
    <>
      <Part title="contracts" lead="contracts_means" action={<AddButton label="contract_add" onClick={() => setOpen({ form: 'contract', contract: null })} />}>
        <Table
          name="contracts"
          rows={value.contracts}
          id={(one) => one.contract_id}
          off={(one) => one.ends_at !== null && Date.parse(one.ends_at) < now.value}
          empty="contracts_none"
          hint="contracts_none_hint"
          columns={[
            { name: 'contract_number', cell: (one) => <strong>{one.number}</strong> },
            { name: 'contract_from', cell: (one) => dateText(one.starts_at) },
            { name: 'contract_until', cell: (one) => (one.ends_at ? dateText(one.ends_at) : t('contract_open_end')) },
          ]}
          does={(one) => (
            <>
              <RowButton label="edit" about={one.number} onClick={() => setOpen({ form: 'contract', contract: one })} />
              <RowButton label="remove" about={one.number} onClick={() => void change(() => dropContract(one.contract_id), reload)} />
            </>
          )}
        />
      </Part>
      <Part title="duties" lead="duties_means" action={<AddButton label="duty_add" onClick={() => setOpen({ form: 'duty', duty: null })} />}>
        <Table
          name="duties"
          rows={value.duties}
          id={(one) => one.duty_id}
          empty="duties_none"
          hint="duties_none_hint"
          columns={[
            { name: 'duty_who', cell: (one) => <><strong>{one.name}</strong>{Date.parse(one.starts_at) <= now.value && <> <span class="tag" data-tone="warn">{t('duty_now')}</span></>}</> },
            { name: 'roster_when', cell: (one) => windowText(one.starts_at, one.ends_at, zone, now.value, language.value) },
          ]}
          does={(one) => (
            <>
              <RowButton label="edit" about={one.name} onClick={() => setOpen({ form: 'duty', duty: one })} />
              <RowButton label="remove" about={one.name} onClick={() => void change(() => dropDuty(one.duty_id), reload)} />
            </>
          )}
        />
      </Part>
      {open?.form === 'contract' && <ContractForm contract={open.contract} reload={reload} onClose={close} />}
      {open?.form === 'duty' && <DutyForm duty={open.duty} settings={value} reload={reload} onClose={close} />}
    </>
  )
}

interface FormProps {
  reload: () => Promise<void>
  onClose: () => void
}

function ContractForm({ contract, reload, onClose }: { contract: Contract | null } & FormProps): JSX.Element {
  const zone = zoneOf(null)
  const day = (at: string): string => instantToWall(at, zone).slice(0, 10)
  async function save(form: FormData): Promise<void> {
    const end = textOf(form, 'ends_at')
    const phone = textOrNull(form, 'customer_phone')
    await putContract(contract?.contract_id ?? uuid7(), {
      ...(phone ? { customer_phone: phone } : {}), number: textOf(form, 'number'), starts_at: wallToInstant(`${textOf(form, 'starts_at')}T00:00`, zone)!,
      ends_at: end ? wallToInstant(`${end}T23:59`, zone) : null,
    })
    await reload()
  }
  return (
    <FormDialog title={contract ? 'contract_edit' : 'contract_add'} save={save} onClose={onClose}>
      <TextField name="number" label="contract_number" value={contract?.number ?? ''} maxLength={120} />
      <TextField name="customer_phone" label="contract_phone" type="tel" required={!contract} hint={t(contract ? 'contract_phone_kept' : 'contract_phone_hint')} />
      <div class="pair">
        <TextField name="starts_at" label="contract_from" type="date" value={day(contract?.starts_at ?? new Date(now.value).toISOString())} />
        <TextField name="ends_at" label="contract_until" type="date" required={false} value={contract?.ends_at ? day(contract.ends_at) : ''} />
      </div>
    </FormDialog>
  )
}

function DutyForm({ duty, settings, reload, onClose }: { duty: Duty | null; settings: DutySettings } & FormProps): JSX.Element {
  const zone = zoneOf(null)
  const wall = (at: string | number): string => instantToWall(at, zone)
  async function save(form: FormData): Promise<void> {
    await putDuty(duty?.duty_id ?? uuid7(), {
      dispatcher_id: textOf(form, 'dispatcher_id'), starts_at: wallToInstant(textOf(form, 'starts_at'), zone)!, ends_at: wallToInstant(textOf(form, 'ends_at'), zone)!,
    })
    await reload()
  }
  return (
    <FormDialog title={duty ? 'duty_edit' : 'duty_add'} save={save} onClose={onClose}>
      <Choice
        name="dispatcher_id" label="duty_who" value={duty?.dispatcher_id ?? ''}
        options={settings.dispatchers.map((one) => [one.dispatcher_id, `${one.name} (${label('admin_role', one.role)})`])}
      />
      <TextField name="starts_at" label="contract_from" type="datetime-local" value={wall(duty?.starts_at ?? now.value)} />
      <TextField name="ends_at" label="contract_until" type="datetime-local" value={wall(duty?.ends_at ?? now.value + 12 * 3_600_000)} hint={t('zone_note', { zone })} />
    </FormDialog>
  )
}
