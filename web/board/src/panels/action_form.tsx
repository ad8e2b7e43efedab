import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { instantToWall } from '../../../shared/formats'
import { uuid7 } from '../api'
import { ActionFields } from '../forms/fields'
import { amendValues, buildFacts, errorsAfter, FORMS, type Errors, type Values } from '../forms/forms'
import { act, zoneOf } from '../state'
import type { TicketView } from '../wire'
import { label, t } from '../words'

/** The form of one action. The command's id is made once, so that pressing twice does it once. */
export function ActionForm({ action, view, onClose }: { action: string; view: TicketView; onClose: () => void }): JSX.Element {
  const zone = zoneOf(view.ticket)
  const form = FORMS[action]!
  const initial = useRef<Values>(form.changesOnly ? amendValues(view, (at) => instantToWall(at, zone)) : {}).current
  const commandId = useRef(uuid7())
  const [values, setValues] = useState<Values>(initial)
  const [errors, setErrors] = useState<Errors>({})
  const [busy, setBusy] = useState(false)
  const element = useRef<HTMLFormElement>(null)

  useEffect(() => {
    element.current?.scrollIntoView({ block: 'nearest' })
    element.current?.querySelector<HTMLElement>('select, textarea, input')?.focus()
  }, [])

  async function submit(event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const built = buildFacts(form, values, initial, zone)
    setErrors(built.errors ?? {})
    if (!built.facts) {
      requestAnimationFrame(() => element.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus())
      return
    }
    setBusy(true)
    const done = await act(view.ticket.ticket_id, action, built.facts, (refused) => {
      if (refused.status > 0) commandId.current = uuid7()
      return false
    }, commandId.current)
    setBusy(false)
    if (done) onClose()
  }

  return (
    <form ref={element} class="action-form" onSubmit={submit} noValidate aria-label={label('action', action)}>
      <h3>{label('action', action)}</h3>
      <ActionFields
        fields={form.fields}
        action={action}
        view={view}
        zone={zone}
        values={values}
        errors={errors}
        onChange={(changed) => {
          setValues((known) => ({ ...known, ...changed }))
          setErrors((known) => errorsAfter(known, changed))
        }}
      />
      <div class="form-buttons">
        <button type="button" class="button" onClick={onClose}>{t('cancel_form')}</button>
        <button class={`button ${form.grave ? 'danger solid' : 'primary'}`} disabled={busy}>{label('action', action)}</button>
      </div>
    </form>
  )
}
