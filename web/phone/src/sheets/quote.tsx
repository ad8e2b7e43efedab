import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import { useDraft } from '../core/drafts'
import { lineTotal, minorDigits, parseMinor, parseQuantity } from '../core/money'
import type { ShownTicket } from '../core/overlay'
import { keepStock, keptPrices } from '../core/stock'
import type { PriceLine, QuoteLine, QuoteLineKind } from '../core/wire'
import { label, moneyText, own, t } from '../core/words'
import { Field, Send, Sheet } from '../parts/basics'
import { Icon } from '../parts/icons'
import { sendAndClose } from './sending'

const KINDS: QuoteLineKind[] = ['labour', 'part', 'call_out', 'other']
const CURRENCIES = ['CNY', 'USD', 'EUR', 'GBP', 'HKD', 'JPY']
const MOST_LINES = 100

interface DraftLine {
  kind: QuoteLineKind
  text: string
  quantity: string
  price: string
  /** The line of the price list it came from: the server lets its price be no other. */
  listed?: string
}

const NEW_LINE: DraftLine = { kind: 'labour', text: '', quantity: '1', price: '' }

/** 12850 → "128.50", as the price field takes it. */
function minorText(minor: number, currency: string): string {
  const digits = minorDigits(currency)
  const padded = String(minor).padStart(digits + 1, '0')
  return digits ? `${padded.slice(0, -digits)}.${padded.slice(-digits)}` : padded
}

/** The tenant's prices: one tap makes a line. Kept for days without reception. */
function PriceList({ pick, currency }: { pick: (line: DraftLine) => void; currency: string }) {
  const [prices, setPrices] = useState<PriceLine[]>(keptPrices)
  useEffect(() => {
    api.stock().then(
      (stock) => setPrices(keepStock(stock).prices),
      () => undefined,
    )
  }, [])
  if (!prices.length) return null
  const choose = (code: string) => {
    const price = prices.find((one) => one.code === code)
    if (price) pick({ kind: price.kind, text: own(price.name), quantity: '1', price: minorText(price.unit_price_minor, currency), listed: code })
  }
  return (
    <Field name={t('price_list')}>
      <select value="" onChange={(e) => choose(e.currentTarget.value)}>
        <option value="">{t('choose')}</option>
        {prices.map((one) => (
          <option key={one.code} value={one.code}>
            {own(one.name)} · {moneyText(one.unit_price_minor, currency)}
          </option>
        ))}
      </select>
    </Field>
  )
}

/** A finished line, or null while something is missing. */
export function readLine(line: DraftLine, currency: string): (QuoteLine & { total_minor: number }) | null {
  const quantity = parseQuantity(line.quantity)
  const price = parseMinor(line.price, currency)
  const text = line.text.trim()
  if (quantity === null || price === null || !text) return null
  const wire = { kind: line.kind, text, quantity: (quantity / 1_000).toFixed(3), unit_price_minor: price }
  return { ...wire, ...(line.listed && { price: line.listed }), total_minor: lineTotal(quantity, price) }
}

export function QuoteSheet({ ticket }: { ticket: ShownTicket }) {
  const usual = ticket.quote?.currency ?? localStorage.getItem('currency') ?? 'CNY'
  const [draft, set, clear] = useDraft(`quote:${ticket.ticket_id}`, { currency: usual, lines: [NEW_LINE] })
  const { currency, lines } = draft
  const read = lines.map((line) => readLine(line, currency))
  const whole = read.every((line) => line !== null)
  const total = read.reduce((sum, line) => sum + (line?.total_minor ?? 0), 0)
  // As the server takes it off: rounded half up, once.
  const off = Math.floor((total * (ticket.discount_percent ?? 0) * 2 + 100) / 200)
  const change = (at: number, part: Partial<DraftLine>) =>
    set({ ...draft, lines: lines.map((line, i) => (i === at ? { ...line, ...part } : line)) })
  const send = async () => {
    const quote_lines = read.flatMap((line) => {
      if (!line) return []
      const { total_minor: _shown, ...wire } = line
      return [wire]
    })
    await sendAndClose(ticket, 'quote', { quote_lines, currency })
    localStorage.setItem('currency', currency)
    clear()
  }
  const foot = (
    <>
      <p class="total">
        {t('total')} <b>{moneyText(total - off, currency)}</b>
      </p>
      <Send name={label('action', 'quote')} ready={whole && lines.length > 0 && total > 0} send={send} />
    </>
  )
  return (
    <Sheet title={`${label('action', 'quote')} · ${ticket.ticket_no}`} foot={foot}>
      <Field name={t('currency')}>
        <select value={currency} onChange={(e) => set({ ...draft, currency: e.currentTarget.value })}>
          {[...new Set([usual, ...CURRENCIES])].map((code) => (
            <option key={code}>{code}</option>
          ))}
        </select>
      </Field>
      {lines.map((line, i) => (
        <fieldset key={i} class="line">
          <div class="row">
            <select aria-label={t('line_text')} value={line.kind} onChange={(e) => change(i, { kind: e.currentTarget.value as QuoteLineKind })}>
              {KINDS.map((kind) => (
                <option key={kind} value={kind}>
                  {label('line', kind)}
                </option>
              ))}
            </select>
            <b>{read[i] ? moneyText(read[i].total_minor, currency) : '–'}</b>
            {lines.length > 1 && (
              <button type="button" class="round" aria-label={t('remove_line')} onClick={() => set({ ...draft, lines: lines.filter((_, at) => at !== i) })}>
                <Icon name="close" size={18} />
              </button>
            )}
          </div>
          <input type="text" maxLength={500} placeholder={t('line_text')} aria-label={t('line_text')} value={line.text} onInput={(e) => change(i, { text: e.currentTarget.value })} />
          <div class="pair">
            <Field name={t('quantity')}>
              <input type="text" inputMode="decimal" value={line.quantity} onInput={(e) => change(i, { quantity: e.currentTarget.value })} />
            </Field>
            <Field name={t('unit_price')}>
              <input type="text" inputMode="decimal" readOnly={!!line.listed} value={line.price} onInput={(e) => change(i, { price: e.currentTarget.value })} />
            </Field>
          </div>
        </fieldset>
      ))}
      {!whole && <p class="sub">{t('line_incomplete')}</p>}
      {off > 0 && (
        <p class="discount">
          <span>{t('discount_allowed', { n: ticket.discount_percent ?? 0 })}</span>
          <b>{moneyText(-off, currency)}</b>
        </p>
      )}
      <PriceList pick={(line) => set({ ...draft, lines: [...lines.filter((one) => one.text || one.price), line] })} currency={currency} />
      {lines.length < MOST_LINES && (
        <button type="button" class="plain wide" onClick={() => set({ ...draft, lines: [...lines, NEW_LINE] })}>
          <Icon name="plus" />
          {t('add_line')}
        </button>
      )}
    </Sheet>
  )
}
