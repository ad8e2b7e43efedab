import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import { parseQuantity } from '../core/money'
import { keepStock, keptParts } from '../core/stock'
import type { PartUsed, StockLine } from '../core/wire'
import { own, t } from '../core/words'
import { Field } from './basics'
import { Icon } from './icons'

export interface PartDraft {
  part: string
  quantity: string
  serial: string
  old_returned: boolean
}

/** The lines as they are sent; null while one is not finished. */
export function readParts(lines: PartDraft[]): PartUsed[] | null {
  const read = lines.map((line) => {
    const quantity = parseQuantity(line.quantity)
    if (!line.part || !quantity) return null
    const serial = line.serial.trim()
    return { part: line.part, quantity: (quantity / 1_000).toFixed(3), old_returned: line.old_returned, ...(serial ? { serial } : {}) }
  })
  return read.every((line) => line !== null) ? read : null
}

/** Parts from the van; the list is kept for days without reception. */
export function PartsUsed({ lines, set }: { lines: PartDraft[]; set: (lines: PartDraft[]) => void }) {
  const [stock, setStock] = useState<StockLine[]>(keptParts)
  useEffect(() => {
    api.stock().then(
      (found) => setStock(keepStock(found).parts),
      () => undefined,
    )
  }, [])
  if (!stock.length) return null
  const change = (at: number, part: Partial<PartDraft>) => set(lines.map((line, i) => (i === at ? { ...line, ...part } : line)))
  return (
    <>
      <h3>{t('parts_used')}</h3>
      {lines.map((line, i) => {
        const known = stock.find((one) => one.part === line.part)
        return (
          <fieldset key={i} class="line">
            <div class="row">
              <select aria-label={t('part')} value={line.part} onChange={(e) => change(i, { part: e.currentTarget.value })}>
                <option value="" />
                {stock.map((one) => (
                  <option key={one.part} value={one.part}>
                    {own(one.name)} · {t('in_van', { n: one.in_van, unit: one.unit })}
                  </option>
                ))}
              </select>
              <button type="button" class="round" aria-label={t('remove_line')} onClick={() => set(lines.filter((_, at) => at !== i))}>
                <Icon name="close" size={18} />
              </button>
            </div>
            <div class="pair">
              <Field name={t('quantity')}>
                <input type="text" inputMode="decimal" value={line.quantity} onInput={(e) => change(i, { quantity: e.currentTarget.value })} />
              </Field>
              <Field name={t('serial')} optional={!known?.serialised}>
                <input type="text" maxLength={200} value={line.serial} onInput={(e) => change(i, { serial: e.currentTarget.value })} />
              </Field>
            </div>
            {known?.returned && (
              <label class={line.old_returned ? 'choice on' : 'choice'}>
                <input type="checkbox" checked={line.old_returned} onChange={(e) => change(i, { old_returned: e.currentTarget.checked })} />
                {t('old_returned')}
              </label>
            )}
          </fieldset>
        )
      })}
      <button type="button" class="plain wide" onClick={() => set([...lines, { part: '', quantity: '1', serial: '', old_returned: false }])}>
        <Icon name="plus" />
        {t('add_part')}
      </button>
    </>
  )
}
