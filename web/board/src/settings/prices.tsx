import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { instantToWall, moneyText, wallToInstant } from '../../../shared/formats'
import { BothNames, bothOf, Choice, FormDialog, TextField, textOf, textOrNull } from '../admin/forms'
import { uuid7 } from '../api'
import { catalogue, workTypeOptions, zoneOf } from '../state'
import { label, language, own, t } from '../words'
import { AddButton, change, Part, RowButton, Table, useLoaded, usePaged } from './parts'
import { dropPrice, dropRate, everyPage, putPrice, putRate, readParts, readPrices, readRates, type Price, type Rate, type RateLine } from './settings_api'
import { AMOUNT, CODE, majorText, minorOf } from './values'

const KINDS = ['labour', 'part', 'call_out', 'other'] as const
const PAYEES = ['engineer', 'contractor', 'helper'] as const

/** A day of the form as the instant it begins in the company's zone, and back. */
const dayStart = (day: string): string | null => (day ? wallToInstant(`${day}T00:00`, zoneOf(null)) : null)
const dayOf = (at: string | null | undefined): string => (at ? instantToWall(at, zoneOf(null)).slice(0, 10) : '')
const daysText = ({ valid_from, valid_until }: Pick<Price, 'valid_from' | 'valid_until'>): string => (valid_from || valid_until ? `${dayOf(valid_from)} – ${dayOf(valid_until)}` : t('price_always'))

export function Prices(): JSX.Element {
  const [currency, setCurrency] = useState('')
  const { rows, next, reload, waiting } = usePaged(async (page) => {
    const found = await readPrices(page)
    setCurrency(found.currency)
    return { rows: found.prices, next: found.next_page }
  })
  const [open, setOpen] = useState<Price | 'new' | null>(null)
  if (waiting || !rows) return waiting!
  return (
    <Part title="settings_prices" lead="prices_currency" action={<AddButton label="price_add" onClick={() => setOpen('new')} />}>
      <Table
        name="settings_prices"
        rows={rows}
        next={next}
        id={(one) => one.code}
        empty="prices_none"
        hint="prices_none_hint"
        columns={[
          { name: 'price_name', cell: (one) => <><strong>{own(one.name)}</strong> <small><code>{one.code}</code></small></> },
          { name: 'price_kind', cell: (one) => label('quote_kind', one.kind) },
          { name: 'price_part', cell: (one) => (one.part ? <code>{one.part}</code> : '–') },
          { name: 'price_days', cell: (one) => daysText(one) },
          { name: 'price_unit', cell: (one) => moneyText(one.unit_price_minor, currency, language.value), number: true },
        ]}
        does={(one) => (
          <>
            <RowButton label="edit" about={own(one.name)} onClick={() => setOpen(one)} />
            <RowButton label="remove" about={own(one.name)} onClick={() => void change(() => dropPrice(one.code), reload)} />
          </>
        )}
      />
      {open && <PriceForm currency={currency} price={open === 'new' ? null : open} reload={reload} onClose={() => setOpen(null)} />}
    </Part>
  )
}

function PriceForm({ currency, price, reload, onClose }: { currency: string; price: Price | null; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const { value } = useLoaded(() => everyPage(async (page) => {
    const found = await readParts(page)
    return { rows: found.parts, next: found.next_page }
  }))
  const [kind, setKind] = useState<string>(price?.kind ?? 'labour')
  async function save(form: FormData): Promise<void> {
    await putPrice({
      code: price?.code ?? textOf(form, 'code'), name: bothOf(form), kind: kind as Price['kind'],
      unit_price_minor: minorOf(textOf(form, 'unit_price_minor')) ?? 0, part: kind === 'part' ? textOrNull(form, 'part') : null,
      valid_from: dayStart(textOf(form, 'valid_from')), valid_until: dayStart(textOf(form, 'valid_until')),
    })
    await reload()
  }
  return (
    <FormDialog title={price ? 'price_edit' : 'price_add'} save={save} onClose={onClose}>
      {!price && <TextField name="code" label="admin_code" pattern={CODE} />}
      <BothNames {...(price ? { value: price.name } : {})} />
      <Choice name="kind" label="price_kind" options={KINDS.map((one) => [one, label('quote_kind', one)])} value={kind} onChange={setKind} />
      {kind === 'part' && <Choice name="part" label="price_part" options={[['', t('none')], ...(value ?? []).map((one): [string, string] => [one.code, own(one.name)])]} value={price?.part ?? ''} />}
      <TextField name="unit_price_minor" label="price_unit" pattern={AMOUNT} hint={t('amount_hint', { currency })} value={price ? majorText(price.unit_price_minor) : ''} />
      <div class="pair">
        <TextField name="valid_from" label="price_from" type="date" required={false} value={dayOf(price?.valid_from)} />
        <TextField name="valid_until" label="price_until" type="date" required={false} value={dayOf(price?.valid_until)} />
      </div>
    </FormDialog>
  )
}

export function Rates(): JSX.Element {
  const [currency, setCurrency] = useState('')
  const { rows, next, reload, waiting } = usePaged(async (page) => {
    const found = await readRates(page)
    setCurrency(found.currency)
    return { rows: found.rates, next: found.next_page }
  })
  const [open, setOpen] = useState<RateLine | 'new' | null>(null)
  if (waiting || !rows) return waiting!
  const workType = (code: string) => own(catalogue.value?.work_types.find((one) => one.code === code)?.name ?? { zh: code, en: code })
  return (
    <>
      <Part title="settings_rates" lead="rates_when" action={<AddButton label="rate_add" onClick={() => setOpen('new')} />}>
        <Table
          name="settings_rates"
          rows={rows}
          next={next}
          id={(one) => one.line_id}
          empty="rates_none"
          hint="rates_none_hint"
          columns={[
            { name: 'policy_work_type', cell: (one) => <strong>{workType(one.work_type)}</strong> },
            { name: 'rate_payee', cell: (one) => label('payee', one.payee_kind) },
            { name: 'price_days', cell: (one) => daysText(one) },
            { name: 'rate_fixed', cell: (one) => moneyText(one.fixed_minor, currency, language.value), number: true },
            { name: 'rate_share', cell: (one) => `${one.share_bp / 100}%`, number: true },
          ]}
          does={(one) => (
            <>
              <RowButton label="edit" about={workType(one.work_type)} onClick={() => setOpen(one)} />
              <RowButton label="remove" about={workType(one.work_type)} onClick={() => void change(() => dropRate(one), reload)} />
            </>
          )}
        />
      </Part>
      <Settlement />
      {open && <RateForm currency={currency} rate={open === 'new' ? null : open} reload={reload} onClose={() => setOpen(null)} />}
    </>
  )
}

function RateForm({ currency, rate, reload, onClose }: { currency: string; rate: Rate | null; reload: () => Promise<void>; onClose: () => void }): JSX.Element {
  const [newId] = useState(uuid7)
  const standing = rate !== null && rate.rate_id === null
  async function save(form: FormData): Promise<void> {
    const days = { valid_from: standing ? null : dayStart(textOf(form, 'valid_from')), valid_until: standing ? null : dayStart(textOf(form, 'valid_until')) }
    await putRate({
      rate_id: rate ? rate.rate_id : days.valid_from || days.valid_until ? newId : null,
      work_type: textOf(form, 'work_type'), payee_kind: textOf(form, 'payee_kind'), fixed_minor: minorOf(textOf(form, 'fixed_minor')) ?? 0,
      share_bp: Math.round(Number(textOf(form, 'share_bp') || 0) * 100), ...days,
    })
    await reload()
  }
  return (
    <FormDialog title={rate ? 'rate_edit' : 'rate_add'} {...(rate ? {} : { hint: 'rate_days_hint' as const })} save={save} onClose={onClose}>
      <Choice name="work_type" label="policy_work_type" options={workTypeOptions(rate?.work_type)} value={rate?.work_type ?? ''} />
      <Choice name="payee_kind" label="rate_payee" options={PAYEES.map((one) => [one, label('payee', one)])} value={rate?.payee_kind ?? ''} />
      <TextField name="fixed_minor" label="rate_fixed" pattern={AMOUNT} hint={t('amount_hint', { currency })} value={majorText(rate?.fixed_minor ?? 0)} />
      <TextField name="share_bp" label="rate_share_of" type="number" least={0} most={100} step={0.01} value={String((rate?.share_bp ?? 0) / 100)} />
      {!standing && (
        <div class="pair">
          <TextField name="valid_from" label="price_from" type="date" required={false} value={dayOf(rate?.valid_from)} />
          <TextField name="valid_until" label="price_until" type="date" required={false} value={dayOf(rate?.valid_until)} />
        </div>
      )}
    </FormDialog>
  )
}

const monthStart = (back: number): string => {
  const today = new Date()
  return new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth() - back, 1)).toISOString().slice(0, 10)
}

/** What was earned, to take along as CSV. */
function Settlement(): JSX.Element {
  const [since, setSince] = useState(monthStart(1))
  const [before, setBefore] = useState(monthStart(0))
  const backwards = before <= since
  const query = new URLSearchParams({ since: `${since}T00:00:00Z`, before: `${before}T00:00:00Z` })
  return (
    <Part title="settlement" lead="settlement_lead">
      <div class="inline-form">
        <label class="field"><span>{t('settlement_since')}</span><input type="date" value={since} onInput={(event) => setSince(event.currentTarget.value)} /></label>
        <label class="field">
          <span>{t('settlement_before')}</span>
          <input type="date" value={before} aria-invalid={backwards || undefined} onInput={(event) => setBefore(event.currentTarget.value)} />
          {backwards && <small class="field-error">{t('window_order')}</small>}
        </label>
        {backwards ? <button type="button" class="button" disabled>{t('settlement_get')}</button>
          : <a class="button primary" href={`/dispatcher/v1/settlement.csv?${query}`} download>{t('settlement_get')}</a>}
      </div>
    </Part>
  )
}
