import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Check, Choice, FormDialog, Labelled, TextField, textOf } from '../admin/forms'
import { label, own, t } from '../words'
import { choicesText, readChoices } from './choices'
import type { ChecklistItem, ItemKind } from './settings_api'

const KINDS: readonly ItemKind[] = ['yes_no', 'choice', 'number', 'text', 'photo', 'signature']
const OUTCOMES = ['fixed', 'temporary', 'not_fixed', 'no_fault', 'refused', 'no_access'] as const

const numberOf = (form: FormData, name: string): number | null => (textOf(form, name) ? Number(textOf(form, name)) : null)

export function ItemForm({ item, before, save, onClose }: {
  item: ChecklistItem | null
  before: readonly ChecklistItem[]
  save: (item: ChecklistItem) => Promise<void>
  onClose: () => void
}): JSX.Element {
  const [kind, setKind] = useState<ItemKind>(item?.kind ?? 'yes_no')
  const [parentCode, setParentCode] = useState(item?.show_when?.item ?? '')
  const parents = before.filter((one) => one.kind === 'yes_no' || one.kind === 'choice')
  const parent = parents.find((one) => one.item === parentCode)
  const answers: [string, string][] = parent?.kind === 'choice'
    ? (parent.choices ?? []).map((one) => [one.code, own(one.label)])
    : [['true', t('answer_yes')], ['false', t('answer_no')]]
  const wanted = item?.show_when?.is[0]

  async function keep(form: FormData): Promise<void> {
    const least = numberOf(form, 'least')
    const most = numberOf(form, 'most')
    const outcomes = form.getAll('outcomes').map(String)
    const answer = textOf(form, 'show_is')
    await save({
      item: item?.item ?? textOf(form, 'item'), kind, label: { zh: textOf(form, 'label_zh'), en: textOf(form, 'label_en') }, required: form.has('required'),
      ...(kind === 'choice' ? { choices: readChoices(textOf(form, 'choices'), item?.choices ?? []) } : {}),
      ...(kind === 'number' ? { unit: textOf(form, 'unit'), ...(least === null ? {} : { least }), ...(most === null ? {} : { most }) } : {}),
      ...(parent ? { show_when: { item: parent.item, is: [parent.kind === 'choice' ? answer : answer === 'true'] } } : {}),
      ...(outcomes.length ? { outcomes } : {}),
    })
  }
  return (
    <FormDialog title={item ? 'checklist_edit' : 'checklist_add'} save={keep} onClose={onClose}>
      <div class="pair">
        <TextField name="label_zh" label="checklist_label_zh" value={item?.label.zh ?? ''} />
        <TextField name="label_en" label="checklist_label_en" value={item?.label.en ?? ''} />
      </div>
      {!item && <TextField name="item" label="admin_code" pattern="[a-z0-9_]{1,40}" />}
      <Choice name="kind" label="checklist_kind" options={KINDS.map((one) => [one, label('item_kind', one)])} value={kind} onChange={(chosen) => setKind(chosen as ItemKind)} />
      {kind === 'choice' && (
        <Labelled name="choices" label={t('checklist_choices')} hint={t('checklist_choices_hint')}>
          {(tied) => <textarea {...tied} rows={4} required defaultValue={choicesText(item?.choices)} />}
        </Labelled>
      )}
      {kind === 'number' && (
        <div class="pair">
          <TextField name="least" label="checklist_least" type="number" step="any" required={false} value={item?.least === undefined ? '' : String(item.least)} />
          <TextField name="most" label="checklist_most" type="number" step="any" required={false} value={item?.most === undefined ? '' : String(item.most)} />
          <TextField name="unit" label="checklist_unit" required={false} maxLength={20} value={item?.unit ?? ''} />
        </div>
      )}
      <Check name="required" label="checklist_required" value={item?.required ?? true} />
      {parents.length > 0 && (
        <div class="pair">
          <Choice name="show_when" label="checklist_show_when" options={[['', t('checklist_always')], ...parents.map((one): [string, string] => [one.item, own(one.label)])]} value={parentCode} onChange={setParentCode} />
          {parent && <Choice name="show_is" label="checklist_show_is" options={answers} value={wanted === undefined ? answers[0]![0] : String(wanted)} />}
        </div>
      )}
      <fieldset class="checks">
        <legend>{t('checklist_outcomes')}</legend>
        {OUTCOMES.map((one) => (
          <label key={one} class="check">
            <input type="checkbox" name="outcomes" value={one} defaultChecked={item?.outcomes?.includes(one) ?? false} />
            {label('outcome', one)}
          </label>
        ))}
      </fieldset>
    </FormDialog>
  )
}
