import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Choice, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { uuid7 } from '../api'
import { ticketHash } from '../route'
import { label, own, t } from '../words'
import { PART_COLUMN, QUANTITY_COLUMN } from './part_columns'
import { Part, RowButton, Table, usePaged } from './parts'
import { bookOutOldParts, bringOldParts, readOldParts, readOwedParts, takeOldParts, type Depot, type OldPart, type OwedPart } from './settings_api'
import { DepotChoice } from './stock_forms'

/** Old parts that engineers took from customers: handed in at a depot, then scrapped or sent to the supplier. */
export function OldParts({ depots, reload }: { depots: Depot[]; reload: () => Promise<void> }): JSX.Element {
  const { rows, next, waiting } = usePaged(readOldParts)
  const [open, setOpen] = useState<OldPart | null>(null)
  const active = (one: OldPart): boolean => (one.depot_id ? depots.some((each) => each.depot_id === one.depot_id) : depots.length > 0)
  return (
    <Part title="old_parts" lead="old_parts_lead">
      {waiting ?? (
        <Table
          name="old_parts"
          rows={rows!}
          next={next}
          id={(one) => one.line_id}
          empty="old_parts_none"
          columns={[
            PART_COLUMN,
            { name: 'old_part_at', cell: (one) => `${t(one.depot_id ? 'stock_depot' : 'engineer')} ${own(one.place_name)}` },
            QUANTITY_COLUMN,
          ]}
          does={(one) => active(one) && <RowButton label={one.depot_id ? 'old_part_out' : 'old_part_in'} about={own(one.name)} onClick={() => setOpen(one)} />}
        />
      )}
      {open && <OldPartForm line={open} depots={depots} reload={reload} onClose={() => setOpen(null)} />}
    </Part>
  )
}

/** Old parts kept back when the work was completed: recorded when they are brought. */
export function OwedParts({ reload }: { reload: () => Promise<void> }): JSX.Element {
  const { rows, next, waiting } = usePaged(readOwedParts)
  const [open, setOpen] = useState<OwedPart | null>(null)
  return (
    <Part title="owed_parts" lead="owed_parts_lead">
      {waiting ?? (
        <Table
          name="owed_parts"
          rows={rows!}
          next={next}
          id={(one) => one.line_id}
          empty="owed_parts_none"
          columns={[
            PART_COLUMN,
            { name: 'ticket', cell: (one) => <a href={ticketHash(one.ticket_id)}>{one.ticket_no}</a> },
            { name: 'engineer', cell: (one) => one.engineer_name },
            QUANTITY_COLUMN,
          ]}
          does={(one) => <RowButton label="owed_part_brought" about={`${own(one.name)}, ${one.ticket_no}`} onClick={() => setOpen(one)} />}
        />
      )}
      {open && <OwedPartForm line={open} reload={reload} onClose={() => setOpen(null)} />}
    </Part>
  )
}

function OwedPartForm({ line, reload, onClose }: { line: OwedPart; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const [commandId] = useState(uuid7)
  const save = (form: FormData): Promise<void> => bringOldParts(line, commandId, textOf(form, 'quantity')).then(reload)
  return (
    <FormDialog title="owed_part_brought" save={save} onClose={onClose}>
      <p>{own(line.name)} · {line.ticket_no} · {line.engineer_name}</p>
      <QuantityOf line={line} />
    </FormDialog>
  )
}

/** As many as there are, or fewer. */
const QuantityOf = ({ line }: { line: { quantity: string } }): JSX.Element => (
  <TextField name="quantity" label="part_quantity" type="number" least={0.001} most={Number(line.quantity)} step={0.001} value={String(Number(line.quantity))} />
)

const WAYS_OUT = ['scrapped', 'supplier'] as const

function OldPartForm({ line, depots, reload, onClose }: { line: OldPart; depots: Depot[]; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const [commandId] = useState(uuid7)
  const [to, setTo] = useState<string>(WAYS_OUT[0])
  async function save(form: FormData): Promise<void> {
    const moved = { part: line.part, quantity: textOf(form, 'quantity') }
    if (line.depot_id) await bookOutOldParts(line.depot_id, commandId, to, textOrNull(form, 'reference'), moved)
    else await takeOldParts(textOf(form, 'depot_id'), commandId, line.engineer_id!, moved)
    await reload()
  }
  return (
    <FormDialog title={line.depot_id ? 'old_part_out' : 'old_part_in'} save={save} onClose={onClose}>
      <p>{own(line.name)} · {own(line.place_name)}</p>
      {line.depot_id
        ? <Choice name="to" label="ledger_to" options={WAYS_OUT.map((one) => [one, label('stock', one)])} value={to} onChange={setTo} />
        : <DepotChoice depots={depots} />}
      {line.depot_id && to === 'supplier' && <TextField name="reference" label="old_part_reference" required={false} maxLength={100} />}
      <QuantityOf line={line} />
    </FormDialog>
  )
}
