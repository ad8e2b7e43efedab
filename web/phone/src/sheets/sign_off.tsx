import { useEffect, useRef, useState } from 'preact/hooks'
import SignaturePad from 'signature_pad'
import type { ShownTicket } from '../core/overlay'
import { label, moneyText, own, t } from '../core/words'
import { Field, Send, Sheet, say } from '../parts/basics'
import { keepPhoto } from '../parts/photos'
import { sendAndClose } from './sending'

/** Fewer points than this are a slip of the finger, not a name. */
const LEAST_POINTS = 12
const INK = '#0b1f33'
const PAPER = '#ffffff'

/** The customer signs on the engineer's phone; the engineer only witnesses. */
export function SignOffSheet({ ticket }: { ticket: ShownTicket }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  const pad = useRef<SignaturePad | null>(null)
  const [name, setName] = useState(ticket.contact.name ?? '')
  const [signed, setSigned] = useState(false)

  useEffect(() => {
    const element = canvas.current
    if (!element) return
    const made = new SignaturePad(element, { penColor: INK, backgroundColor: PAPER, minWidth: 1, maxWidth: 3 })
    pad.current = made
    made.addEventListener('endStroke', () => setSigned(true))
    const fit = () => {
      const strokes = made.toData()
      const ratio = Math.max(devicePixelRatio, 1)
      element.width = element.offsetWidth * ratio
      element.height = element.offsetHeight * ratio
      element.getContext('2d')?.scale(ratio, ratio)
      made.fromData(strokes)
    }
    const watch = new ResizeObserver(fit)
    watch.observe(element)
    return () => {
      watch.disconnect()
      made.off()
    }
  }, [])

  const again = () => {
    pad.current?.clear()
    setSigned(false)
  }
  const send = async () => {
    const points = pad.current?.toData().reduce((sum, stroke) => sum + stroke.points.length, 0) ?? 0
    const picture = points >= LEAST_POINTS ? await toPng(canvas.current) : null
    if (!picture) {
      again()
      return say('too_little_ink', true)
    }
    const photoId = await keepPhoto(ticket.ticket_id, 'signature', picture)
    await sendAndClose(ticket, 'sign_off', { text: name.trim() }, [photoId])
  }
  return (
    <Sheet
      title={`${label('action', 'sign_off')} · ${ticket.ticket_no}`}
      foot={
        <>
          <button type="button" class="plain" onClick={again}>
            {t('sign_again')}
          </button>
          <Send name={t('confirm')} ready={signed && name.trim() !== ''} send={send} />
        </>
      }
    >
      <p class="lead">{t('sign_lead')}</p>
      <dl class="summary">
        <dt>{own(ticket.work_type.name)}</dt>
        <dd>{ticket.outcome ? label('outcome', ticket.outcome) : ''}</dd>
        {ticket.quote?.status === 'approved' && (
          <>
            <dt>{t('total')}</dt>
            <dd>{moneyText(ticket.quote.total_minor, ticket.quote.currency)}</dd>
          </>
        )}
      </dl>
      <p>{t('sign_promise')}</p>
      <div class={signed ? 'paper' : 'paper empty-paper'} data-hint={t('sign_here')}>
        <canvas ref={canvas} aria-label={t('sign_here')} />
      </div>
      <Field name={t('signer_name')}>
        <input type="text" maxLength={200} value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </Field>
    </Sheet>
  )
}

function toPng(canvas: HTMLCanvasElement | null): Promise<Blob | null> {
  return new Promise((resolve) => (canvas ? canvas.toBlob(resolve, 'image/png') : resolve(null)))
}
