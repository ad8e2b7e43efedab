import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { Select } from '../forms/fields'
import { Dialog } from '../parts/basics'
import { refusalText } from '../refusals'
import { catalogue } from '../state'
import type { Refusal } from '../wire'
import { label, t } from '../words'

/** The broken rules in words, and the reason to assign all the same. */
export function Override(props: {
  name: string
  refusals: Refusal[]
  busy: boolean
  onClose: () => void
  onConfirm: (reason: string, why: string) => void
}): JSX.Element {
  const [reason, setReason] = useState('')
  const [why, setWhy] = useState('')
  const [missing, setMissing] = useState(false)
  const codes = catalogue.value?.reasons['assign'] ?? catalogue.value?.reasons['override'] ?? []
  return (
    <Dialog name={t('override_title', { name: props.name })} class="dialog" onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (reason) props.onConfirm(reason, why.trim())
          else setMissing(true)
        }}
      >
        <h2>{t('override_title', { name: props.name })}</h2>
        <ul class="refusals">
          {props.refusals.map((refusal) => (
            <li key={refusal.rule}>{refusalText(refusal, catalogue.value)}</li>
          ))}
        </ul>
        <div class="field">
          <label for="override-reason">{t('override_why')}</label>
          <Select id="override-reason" aria-invalid={missing && !reason ? true : undefined} value={reason} onChange={setReason} options={codes.map((code) => [code, label('reason', code)])} />
          {missing && !reason && <p class="field-error">{t('missing_field')}</p>}
        </div>
        <div class="field">
          <label for="override-text">{t('field_text')} <small>{t('optional')}</small></label>
          <textarea id="override-text" rows={2} maxLength={4_000} value={why} onInput={(event) => setWhy(event.currentTarget.value)} />
        </div>
        <div class="form-buttons">
          <button type="button" class="button" onClick={props.onClose}>{t('cancel_form')}</button>
          <button class="button primary" disabled={props.busy}>{t('override_do')}</button>
        </div>
      </form>
    </Dialog>
  )
}
