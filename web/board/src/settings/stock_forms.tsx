import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { BothNames, bothOf, Check, Choice, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { uuid7 } from '../api'
import { engineers } from '../state'
import { label, own, t } from '../words'
import { moveParts, putDepot, putParts, receiveParts, takeStock, type Depot, type MovedLine, type PartLine, type Place, type StockLine } from './settings_api'
import { AMOUNT, CODE, majorText, minorOf } from './values'

interface Closing {
  reload: () => Promise<void>
  onClose: () => void
}
/** One line of a place's stock, or any part where something is found that the books do not hold there. */
export interface Counted {
  part: StockLine | null
  parts: PartLine[]
}
const REASONS = ['counted', 'booked_wrong', 'lost', 'damaged', 'other'] as const

export function PartForm({ part, reload, onClose }: { part: PartLine | null } & Closing): JSX.Element {
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

export function DepotForm({ depot, reload, onClose }: { depot: Depot | null } & Closing): JSX.Element {
  const [id] = useState(depot?.depot_id ?? uuid7())
  async function save(form: FormData): Promise<void> {
    const [lon, lat] = [textOf(form, 'lon'), textOf(form, 'lat')]
    const position = lon && lat ? { lon: Number(lon), lat: Number(lat) } : null
    await putDepot(id, { code: textOf(form, 'code'), name: bothOf(form), position, active: form.has('active') })
    await reload()
  }
  return (
    <FormDialog title={depot ? 'depot_edit' : 'depot_add'} save={save} onClose={onClose}>
      <TextField name="code" label="admin_code" pattern={CODE} value={depot?.code ?? ''} />
      <BothNames {...(depot ? { value: depot.name } : {})} />
      <div class="pair">
        <TextField name="lon" label="depot_lon" type="number" required={false} least={-180} most={180} step="any" value={depot?.lon == null ? '' : String(depot.lon)} />
        <TextField name="lat" label="depot_lat" type="number" required={false} least={-90} most={90} step="any" value={depot?.lat == null ? '' : String(depot.lat)} />
      </div>
      <Check name="active" label="depot_active" value={depot?.active ?? true} />
    </FormDialog>
  )
}

export function ReceiveForm({ part, depots, reload, onClose }: { part: PartLine; depots: Depot[] } & Closing): JSX.Element {
  const [commandId] = useState(uuid7)
  async function save(form: FormData): Promise<void> {
    await receiveParts(textOf(form, 'depot_id'), commandId, textOf(form, 'reference'), movedOf(form, part))
    await reload()
  }
  return (
    <FormDialog title="part_receive" save={save} onClose={onClose}>
      <p>{own(part.name)}</p>
      <DepotChoice depots={depots} />
      <TextField name="reference" label="part_reference" maxLength={100} />
      <HowMany part={part} />
    </FormDialog>
  )
}

export function MoveForm({ way, part, depots, reload, onClose }: { way: 'van_loads' | 'van_returns'; part: PartLine; depots: Depot[] } & Closing): JSX.Element {
  const [commandId] = useState(uuid7)
  async function save(form: FormData): Promise<void> {
    await moveParts(way, textOf(form, 'depot_id'), commandId, textOf(form, 'engineer_id'), movedOf(form, part))
    await reload()
  }
  return (
    <FormDialog title={way === 'van_loads' ? 'part_load' : 'part_unload'} save={save} onClose={onClose}>
      <p>{own(part.name)}</p>
      <DepotChoice depots={depots} />
      <Choice name="engineer_id" label="engineer" options={engineers.value.map((one) => [one.engineer_id, one.name])} />
      <HowMany part={part} />
    </FormDialog>
  )
}

export function CountForm({ counted: { part, parts }, place, reload, onClose }: { counted: Counted; place: Place } & Closing): JSX.Element {
  const [commandId] = useState(uuid7)
  const [code, setCode] = useState(part?.part ?? parts[0]?.code ?? '')
  const serialised = part?.serialised ?? parts.find((one) => one.code === code)?.serialised ?? false
  async function save(form: FormData): Promise<void> {
    await takeStock(place, commandId, textOf(form, 'reason'), { part: code, counted: textOf(form, 'counted'), serial: textOrNull(form, 'serial') })
    await reload()
  }
  return (
    <FormDialog title="stock_count" hint={serialised ? 'stock_count_serial_hint' : 'stock_count_hint'} save={save} onClose={onClose}>
      {part ? <p>{own(part.name)}</p> : <Choice name="part" label="price_part" options={parts.map((one) => [one.code, own(one.name)])} onChange={setCode} />}
      {serialised && <TextField name="serial" label="part_serial" value={part?.serials[0] ?? ''} />}
      <TextField name="counted" label="stock_counted" type="number" least={0} most={serialised ? 1 : 1_000_000} step={serialised ? 1 : 0.001} value={part && !serialised ? String(Number(part.quantity)) : ''} />
      <Choice name="reason" label="stock_reason" options={REASONS.map((one) => [one, label('reason', one)])} />
    </FormDialog>
  )
}

export const DepotChoice = ({ depots }: { depots: Depot[] }): JSX.Element => <Choice name="depot_id" label="stock_depot" options={depots.map((one) => [one.depot_id, own(one.name)])} />

function HowMany({ part }: { part: PartLine }): JSX.Element {
  return part.serialised
    ? <><input type="hidden" name="quantity" value="1" /><TextField name="serial" label="part_serial" /></>
    : <TextField name="quantity" label="part_quantity" type="number" least={0.001} most={10_000} step={0.001} value="1" />
}

const movedOf = (form: FormData, part: PartLine): MovedLine => ({ part: part.code, quantity: textOf(form, 'quantity'), serial: textOrNull(form, 'serial') })
