import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { moneyText } from '../../../shared/formats'
import { BothNames, bothOf, Check, Choice, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { uuid7 } from '../api'
import { ticketHash } from '../route'
import { engineers, me } from '../state'
import { label, language, own, t } from '../words'
import { AddButton, Part, RowButton, Table, useLoaded, usePaged, when } from './parts'
import { loadVan, putParts, readMovements, readParts, type PartLine } from './settings_api'
import { AMOUNT, CODE, majorText, minorOf } from './values'

type Open = { form: 'part'; part: PartLine | null } | { form: 'van'; part: PartLine } | null

/** Parts, what the vans hold of each, and the ledger it follows from. */
export function Parts(): JSX.Element {
  const { value, reload, waiting } = useLoaded(readParts)
  const [open, setOpen] = useState<Open>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const [booked, setBooked] = useState(0)
  if (!value) return waiting!
  const admin = me.value?.role === 'admin'
  const close = (): void => setOpen(null)
  const again = async (): Promise<void> => {
    setBooked(booked + 1)
    await reload()
  }
  return (
    <>
      <Part title="settings_parts" {...(admin ? { action: <AddButton label="part_add" onClick={() => setOpen({ form: 'part', part: null })} /> } : {})}>
        <Table
          name="settings_parts"
          rows={value.parts}
          id={(one) => one.code}
          empty="parts_none"
          hint="parts_none_hint"
          columns={[
            { name: 'price_part', cell: (one) => <><strong>{own(one.name)}</strong> <small><code>{one.code}</code></small></> },
            { name: 'part_marks', cell: (one) => [one.serialised && t('part_serialised_short'), one.returned && t('part_returned_short')].filter(Boolean).join(' · ') || '–' },
            { name: 'price_unit', cell: (one) => (one.price_minor === null ? '–' : moneyText(one.price_minor, value.currency, language.value)), number: true },
            { name: 'part_in_vans', cell: (one) => <b>{Number(one.in_vans)} {one.unit}</b>, number: true },
          ]}
          does={(one) => (
            <>
              <RowButton label="part_load" about={own(one.name)} onClick={() => setOpen({ form: 'van', part: one })} />
              <RowButton label="part_ledger" about={own(one.name)} onClick={() => setChosen(one.code)} />
              {admin && <RowButton label="edit" about={own(one.name)} onClick={() => setOpen({ form: 'part', part: one })} />}
            </>
          )}
        />
      </Part>
      <Ledger key={`${chosen} ${booked}`} part={chosen} all={() => setChosen(null)} />
      {open?.form === 'part' && <PartForm part={open.part} reload={again} onClose={close} />}
      {open?.form === 'van' && <VanForm part={open.part} reload={again} onClose={close} />}
    </>
  )
}

function PartForm({ part, reload, onClose }: { part: PartLine | null; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  async function save(form: FormData): Promise<void> {
    const price = textOf(form, 'price_minor')
    const line = {
      code: part?.code ?? textOf(form, 'code'), name: bothOf(form), unit: textOf(form, 'unit'), price_minor: price ? minorOf(price) : null,
      serialised: form.has('serialised'), returned: form.has('returned'),
    }
    await putParts([line])
    await reload()
  }
  return (
    <FormDialog title={part ? 'part_edit' : 'part_add'} save={save} onClose={onClose}>
      {!part && <TextField name="code" label="admin_code" pattern={CODE} />}
      <BothNames {...(part ? { value: part.name } : {})} />
      <div class="pair">
        <TextField name="unit" label="part_unit" value={part?.unit ?? t('part_unit_piece')} maxLength={20} />
        <TextField name="price_minor" label="price_unit" required={false} pattern={AMOUNT} value={part?.price_minor == null ? '' : majorText(part.price_minor)} />
      </div>
      <Check name="serialised" label="part_serialised" value={part?.serialised ?? false} />
      <Check name="returned" label="part_returned" value={part?.returned ?? false} />
    </FormDialog>
  )
}

function VanForm({ part, reload, onClose }: { part: PartLine; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const [commandId] = useState(uuid7)
  async function save(form: FormData): Promise<void> {
    await loadVan(textOf(form, 'engineer_id'), commandId, { part: part.code, quantity: textOf(form, 'quantity'), serial: textOrNull(form, 'serial') })
    await reload()
  }
  return (
    <FormDialog title="part_load" save={save} onClose={onClose}>
      <p>{own(part.name)}</p>
      <Choice name="engineer_id" label="engineer" options={engineers.value.map((one) => [one.engineer_id, one.name])} />
      {part.serialised
        ? <><input type="hidden" name="quantity" value="1" /><TextField name="serial" label="part_serial" /></>
        : <TextField name="quantity" label="part_quantity" type="number" least={0.001} most={10_000} step={0.001} value="1" />}
    </FormDialog>
  )
}

const place = (kind: string, name: string | null): string => [label('stock', kind), name].filter(Boolean).join(' ')

function Ledger({ part, all }: { part: string | null; all: () => void }): JSX.Element {
  const { rows, next, waiting } = usePaged(async (page) => {
    const found = await readMovements(part, page)
    return { rows: found.movements, next: found.next_page }
  })
  return (
    <Part title="ledger" lead="ledger_lead" {...(part ? { action: <button type="button" class="button" onClick={all}>{t('ledger_all')}</button> } : {})}>
      {waiting ?? (
        <Table
          name="ledger"
          rows={rows!}
          id={(one) => String(one.movement_id)}
          next={next}
          empty="ledger_none"
          hint="ledger_none_hint"
          columns={[
            { name: 'ledger_at', cell: (one) => when(one.at) },
            { name: 'price_part', cell: (one) => <>{own(one.name)}{one.serial && <small> {one.serial}</small>}</> },
            { name: 'part_quantity', cell: (one) => `${Number(one.quantity)} ${one.unit}`, number: true },
            { name: 'ledger_from', cell: (one) => place(one.from_kind, one.from_name) },
            { name: 'ledger_to', cell: (one) => (one.ticket_id && one.to_kind === 'ticket' ? <a href={ticketHash(one.ticket_id)}>{one.ticket_no}</a> : place(one.to_kind, one.to_name)) },
          ]}
        />
      )}
    </Part>
  )
}
