import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { moneyText } from '../../../shared/formats'
import { ticketHash } from '../route'
import { engineers, me } from '../state'
import { label, language, own, t } from '../words'
import type { Texts } from '../wire'
import { OldParts, OwedParts } from './old_parts'
import { PART_COLUMN, QUANTITY_COLUMN } from './part_columns'
import { AddButton, Part, RowButton, Table, useLoaded, usePaged, when } from './parts'
import { readDepots, readMovements, readParts, readStock, type Depot, type PartLine, type Place } from './settings_api'
import { CountForm, DepotForm, MoveForm, PartForm, ReceiveForm, type Counted } from './stock_forms'

type Open =
  | { form: 'part'; part: PartLine | null }
  | { form: 'receive' | 'van_loads' | 'van_returns'; part: PartLine }
  | { form: 'depot'; depot: Depot | null }
  | { form: 'count'; counted: Counted; place: Place }
  | null

/** Parts, what each depot and each van holds, and the ledger it follows from. */
export function Parts(): JSX.Element {
  const [currency, setCurrency] = useState('')
  const parts = usePaged(async (page) => {
    const found = await readParts(page)
    setCurrency(found.currency)
    return { rows: found.parts, next: found.next_page }
  })
  const depots = useLoaded(readDepots)
  const [open, setOpen] = useState<Open>(null)
  const [part, setPart] = useState<string | null>(null)
  const [booked, setBooked] = useState(0)
  if (!parts.rows || !depots.value) return parts.waiting ?? depots.waiting!
  const admin = me.value?.role === 'admin'
  const close = (): void => setOpen(null)
  const again = async (): Promise<void> => {
    setBooked(booked + 1)
    await Promise.all([parts.reload(), depots.reload()])
  }
  const places = depots.value.filter((one) => one.active)
  return (
    <>
      <Part title="settings_parts" {...(admin ? { action: <AddButton label="part_add" onClick={() => setOpen({ form: 'part', part: null })} /> } : {})}>
        <Table
          name="settings_parts"
          rows={parts.rows}
          next={parts.next}
          id={(one) => one.code}
          empty="parts_none"
          hint="parts_none_hint"
          columns={[
            { name: 'price_part', cell: (one) => <><strong>{own(one.name)}</strong> <small><code>{one.code}</code></small></> },
            { name: 'part_marks', cell: (one) => [one.serialised && t('part_serialised_short'), one.returned && t('part_returned_short')].filter(Boolean).join(' · ') || '–' },
            { name: 'price_unit', cell: (one) => (one.price_minor === null ? '–' : moneyText(one.price_minor, currency, language.value)), number: true },
            { name: 'part_in_depots', cell: (one) => <b>{Number(one.in_depots)} {one.unit}</b>, number: true },
            { name: 'part_in_vans', cell: (one) => <b>{Number(one.in_vans)} {one.unit}</b>, number: true },
          ]}
          does={(one) => (
            <>
              {places.length > 0 && (
                <>
                  <RowButton label="part_receive" about={own(one.name)} onClick={() => setOpen({ form: 'receive', part: one })} />
                  <RowButton label="part_load" about={own(one.name)} onClick={() => setOpen({ form: 'van_loads', part: one })} />
                  <RowButton label="part_unload" about={own(one.name)} onClick={() => setOpen({ form: 'van_returns', part: one })} />
                </>
              )}
              <RowButton label="part_ledger" about={own(one.name)} onClick={() => setPart(one.code)} />
              {admin && <RowButton label="edit" about={own(one.name)} onClick={() => setOpen({ form: 'part', part: one })} />}
            </>
          )}
        />
      </Part>
      <Stock
        key={`stock ${booked}`}
        depots={depots.value}
        parts={parts.rows}
        depot={admin ? (depot) => setOpen({ form: 'depot', depot }) : null}
        count={(counted, place) => setOpen({ form: 'count', counted, place })}
      />
      <OldParts key={`old ${booked}`} depots={places} reload={again} />
      <OwedParts key={`owed ${booked}`} reload={again} />
      <Ledger key={`${part} ${booked}`} part={part} all={() => setPart(null)} />
      {open?.form === 'part' && <PartForm part={open.part} reload={again} onClose={close} />}
      {open?.form === 'depot' && <DepotForm depot={open.depot} reload={again} onClose={close} />}
      {open?.form === 'receive' && <ReceiveForm part={open.part} depots={places} reload={again} onClose={close} />}
      {(open?.form === 'van_loads' || open?.form === 'van_returns') && <MoveForm way={open.form} part={open.part} depots={places} reload={again} onClose={close} />}
      {open?.form === 'count' && <CountForm counted={open.counted} place={open.place} reload={again} onClose={close} />}
    </>
  )
}

/** One depot's or one van's stock, with its own lines of the ledger. */
function Stock({ depots, parts, depot, count }: {
  depots: Depot[]
  parts: PartLine[]
  depot: ((depot: Depot | null) => void) | null
  count: (counted: Counted, place: Place) => void
}): JSX.Element {
  const [chosen, choose] = useState(depots[0] ? `depot ${depots[0].depot_id}` : engineers.value[0] ? `van ${engineers.value[0].engineer_id}` : '')
  const [kind = '', id = ''] = chosen.split(' ')
  const place: Place = kind === 'depot' ? { depot_id: id } : { engineer_id: id }
  const held = depots.find((one) => one.depot_id === id) ?? null
  const { rows, next, waiting } = usePaged(async (page) => (id ? readStock(place, page) : { rows: [], next: null }), chosen)
  const missing = parts.find((one) => !rows?.some((each) => each.part === one.code))
  return (
    <Part title="stock" lead="stock_lead" {...(depot ? { action: <AddButton label="depot_add" onClick={() => depot(null)} /> } : {})}>
      <div class="inline-form">
        <label class="field">
          <span>{t('stock_place')}</span>
          <select name="place" value={chosen} onChange={(event) => choose(event.currentTarget.value)}>
            {depots.map((one) => <option key={one.depot_id} value={`depot ${one.depot_id}`}>{own(one.name)}</option>)}
            {engineers.value.map((one) => <option key={one.engineer_id} value={`van ${one.engineer_id}`}>{`${t('stock_van')} ${one.name}`}</option>)}
          </select>
        </label>
        {depot && held && <button type="button" class="button" onClick={() => depot(held)}>{t('depot_edit')}</button>}
        {id && missing && <button type="button" class="button" onClick={() => count({ part: null, parts }, place)}>{t('stock_count_other')}</button>}
      </div>
      {waiting ?? (
        <Table
          name="stock"
          rows={rows!}
          next={next}
          id={(one) => one.part}
          empty="stock_none"
          hint={depots.length ? 'stock_none_hint' : 'depots_none_hint'}
          columns={[
            PART_COLUMN,
            { name: 'part_serial', cell: (one) => one.serials.join(', ') || '–' },
            QUANTITY_COLUMN,
          ]}
          does={(one) => <RowButton label="stock_count" about={own(one.name)} onClick={() => count({ part: one, parts }, place)} />}
        />
      )}
    </Part>
  )
}

const place = (kind: string, name: Texts | null): string => [label('stock', kind), name && own(name)].filter(Boolean).join(' ')

function Ledger({ part, all }: { part: string | null; all: () => void }): JSX.Element {
  const [where, setWhere] = useState<string>('')
  const depots = useLoaded(readDepots)
  const [kind = '', id = ''] = where.split(' ')
  const chosen: Place | null = id ? (kind === 'depot' ? { depot_id: id } : { engineer_id: id }) : null
  const { rows, next, waiting } = usePaged((page) => readMovements(part, chosen, page), where)
  return (
    <Part title="ledger" lead="ledger_lead" {...(part ? { action: <button type="button" class="button" onClick={all}>{t('ledger_all')}</button> } : {})}>
      <div class="inline-form">
        <label class="field">
          <span>{t('stock_place')}</span>
          <select name="ledger_place" value={where} onChange={(event) => setWhere(event.currentTarget.value)}>
            <option value="">{t('stock_everywhere')}</option>
            {depots.value?.map((one) => <option key={one.depot_id} value={`depot ${one.depot_id}`}>{own(one.name)}</option>)}
            {engineers.value.map((one) => <option key={one.engineer_id} value={`van ${one.engineer_id}`}>{`${t('stock_van')} ${one.name}`}</option>)}
          </select>
        </label>
      </div>
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
            { name: 'ledger_why', cell: (one) => [one.reference, one.reason && label('reason', one.reason), one.booked_by].filter(Boolean).join(' · ') || '–' },
          ]}
        />
      )}
    </Part>
  )
}
