import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { FormDialog, TextField, textOf } from '../admin/forms'
import { Empty } from '../parts/basics'
import { answerText } from '../parts/answers'
import { label, own, t } from '../words'
import { ItemForm } from './checklist_item'
import { AddButton, change, Part, RowButton, useLoaded } from './parts'
import { everyPage, putChecklist, readChecklists, type Checklist, type ChecklistItem } from './settings_api'

/** What the engineer answers before a visit of each work type is complete. */
export function Checklists(): JSX.Element {
  const { value, reload, waiting } = useLoaded(() => everyPage(readChecklists))
  const [code, setCode] = useState<string | null>(null)
  if (!value) return waiting!
  const chosen = value.find((one) => one.code === code) ?? value.find((one) => one.items.length) ?? value[0]
  if (!chosen) return <Empty title={t('checklists_none')} hint={t('checklists_none_hint')} />
  return (
    <>
      <label class="field narrow-choice">
        <span>{t('policy_work_type')}</span>
        <select value={chosen.code} onChange={(event) => setCode(event.currentTarget.value)}>
          {value.map((one) => <option key={one.code} value={one.code} selected={one.code === chosen.code}>{own(one.name)} ({one.items.length})</option>)}
        </select>
      </label>
      <One key={chosen.code} checklist={chosen} reload={reload} />
    </>
  )
}

function One({ checklist, reload }: { checklist: Checklist; reload: () => Promise<void> }): JSX.Element {
  const { code, items, completion_photos: photos } = checklist
  const [open, setOpen] = useState<number | 'photos' | null>(null)
  const put = (next: ChecklistItem[]): Promise<boolean> => change(() => putChecklist(code, next, photos), reload)
  const move = (from: number, by: number): void => {
    const next = [...items]
    next.splice(from + by, 0, ...next.splice(from, 1))
    void put(next)
  }
  async function keep(item: ChecklistItem): Promise<void> {
    const at = typeof open === 'number' ? open : items.length
    await putChecklist(code, [...items.slice(0, at), item, ...items.slice(at + 1)], photos)
    await reload()
  }
  async function keepPhotos(form: FormData): Promise<void> {
    await putChecklist(code, items, Number(textOf(form, 'completion_photos')))
    await reload()
  }
  /** Whether an item may stand before another: a branch comes after what it depends on. */
  const mayRise = (n: number): boolean => n > 0 && items[n]!.show_when?.item !== items[n - 1]!.item
  return (
    <>
      <Part title="checklist_photos" lead="checklist_photos_lead" action={<button type="button" class="button" onClick={() => setOpen('photos')}>{t('edit')}</button>}>
        <p class="checklist-photos">{photos ? t('checklist_photos_n', { n: photos }) : t('checklist_photos_none')}</p>
      </Part>
      <Part title="checklist" lead="checklist_lead" action={<AddButton label="checklist_add" onClick={() => setOpen(items.length)} />}>
        {!items.length && <Empty title={t('checklist_none')} hint={t('checklist_none_hint')} />}
        <ol class="checklist">
          {items.map((item, n) => (
            <li key={item.item}>
              <span class="rank">{n + 1}</span>
              <div class="checklist-what">
                <strong>{own(item.label)}{item.required && <abbr title={t('checklist_required')}> *</abbr>}</strong>
                <small>{describe(item, items)}</small>
              </div>
              <div class="checklist-does">
                <button type="button" class="icon-button" disabled={!mayRise(n)} aria-label={`${t('checklist_up')}: ${own(item.label)}`} onClick={() => move(n, -1)}>↑</button>
                <button type="button" class="icon-button" disabled={n + 1 >= items.length || !mayRise(n + 1)} aria-label={`${t('checklist_down')}: ${own(item.label)}`} onClick={() => move(n, 1)}>↓</button>
                <RowButton label="edit" about={own(item.label)} onClick={() => setOpen(n)} />
                <RowButton label="remove" about={own(item.label)} onClick={() => void put(items.filter((one) => one !== item))} />
              </div>
            </li>
          ))}
        </ol>
      </Part>
      {typeof open === 'number' && <ItemForm item={items[open] ?? null} before={items.slice(0, open)} save={keep} onClose={() => setOpen(null)} />}
      {open === 'photos' && (
        <FormDialog title="checklist_photos" save={keepPhotos} onClose={() => setOpen(null)}>
          <TextField name="completion_photos" label="checklist_photos_label" type="number" least={0} most={30} value={String(photos)} />
        </FormDialog>
      )}
    </>
  )
}

/** An item in one line: its kind, its limits, when it is asked. */
function describe(item: ChecklistItem, items: readonly ChecklistItem[]): string {
  const parent = item.show_when && items.find((one) => one.item === item.show_when!.item)
  return [
    label('item_kind', item.kind),
    item.choices?.map((one) => own(one.label)).join(' / '),
    item.kind === 'number' && [item.least ?? '', item.most ?? ''].join('…') !== '…' && `${item.least ?? ''}…${item.most ?? ''}`,
    item.unit,
    parent && t('checklist_when', { item: own(parent.label), value: item.show_when!.is.map((one) => answerText(one, parent)).join(' / ') }),
    item.outcomes && t('checklist_outcomes_only', { outcomes: item.outcomes.map((one) => label('outcome', one)).join(' / ') }),
  ].filter(Boolean).join(' · ')
}
