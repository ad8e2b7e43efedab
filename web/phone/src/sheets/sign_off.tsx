import { useRef, useState } from 'preact/hooks'
import type { ShownTicket } from '../core/overlay'
import type { ActionFacts } from '../core/wire'
import { label, moneyText, own, t } from '../core/words'
import { Field, Send, Sheet, say } from '../parts/basics'
import { PaperPad, type Pad } from '../parts/pad'
import { keepPhoto } from '../parts/photos'
import { sendAndClose } from './sending'

const CODE = /^\d{6}$/

/** The customer signs on the engineer's phone, for the work or for a price; the engineer only witnesses. */
export function SignOffSheet({ ticket, action }: { ticket: ShownTicket; action: 'sign_off' | 'approve_quote' }) {
  const pad = useRef<Pad>(null)
  const [name, setName] = useState(ticket.contact.name ?? '')
  const [code, setCode] = useState('')
  const [signed, setSigned] = useState(false)
  const forWork = action === 'sign_off'
  const needsCode = forWork && ticket.service_code

  const again = () => {
    pad.current?.clear()
    setSigned(false)
  }
  const send = async () => {
    const picture = (await pad.current?.picture()) ?? null
    if (!picture) {
      again()
      return say('too_little_ink', true)
    }
    const photoId = await keepPhoto(ticket.ticket_id, 'signature', picture)
    const facts: ActionFacts = { ...(name.trim() ? { text: name.trim() } : {}), ...(needsCode ? { code } : {}) }
    await sendAndClose(ticket, action, facts, [photoId])
  }
  const ready = signed && name.trim() !== '' && (!needsCode || CODE.test(code))
  return (
    <Sheet
      title={`${label('action', action)} · ${ticket.ticket_no}`}
      foot={
        <>
          <button type="button" class="plain" onClick={again}>
            {t('sign_again')}
          </button>
          <Send name={t('confirm')} ready={ready} send={send} />
        </>
      }
    >
      <p class="lead">{t('sign_lead')}</p>
      <dl class="summary">
        <dt>{own(ticket.work_type.name)}</dt>
        <dd>{forWork && ticket.outcome ? label('outcome', ticket.outcome) : ''}</dd>
        {ticket.quote && ticket.quote.status === (forWork ? 'approved' : 'open') && (
          <>
            <dt>{t('total')}</dt>
            <dd>{moneyText(ticket.quote.total_minor, ticket.quote.currency)}</dd>
          </>
        )}
      </dl>
      <p>{t(forWork ? 'sign_promise' : 'sign_price')}</p>
      {needsCode && (
        <Field name={t('service_code')}>
          <input type="text" inputMode="numeric" autocomplete="one-time-code" maxLength={6} value={code} onInput={(e) => setCode(e.currentTarget.value)} />
        </Field>
      )}
      <PaperPad pad={pad} signed={signed} onSigned={() => setSigned(true)} />
      <Field name={t('signer_name')}>
        <input type="text" maxLength={200} value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </Field>
    </Sheet>
  )
}
