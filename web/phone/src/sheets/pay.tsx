import { useDraft } from '../core/drafts'
import { parseMinor } from '../core/money'
import type { ShownTicket } from '../core/overlay'
import type { PayMethod } from '../core/wire'
import { label, moneyText, t } from '../core/words'
import { Choices, Field, Send, Sheet } from '../parts/basics'
import { sendAndClose } from './sending'

const METHODS: PayMethod[] = ['wechat', 'alipay', 'card', 'cash', 'transfer']

/** Money taken on site; the server knows what is still owed. */
export function PaySheet({ ticket }: { ticket: ShownTicket }) {
  const [draft, set, clear] = useDraft(`pay:${ticket.ticket_id}`, { method: '' as PayMethod | '', amount: '', reference: '' })
  const currency = ticket.quote?.currency ?? 'CNY'
  const minor = parseMinor(draft.amount, currency)
  const send = async () => {
    if (draft.method === '' || !minor) return
    const reference = draft.reference.trim()
    await sendAndClose(ticket, 'pay', { method: draft.method, amount_minor: minor, ...(reference ? { reference } : {}) })
    clear()
  }
  return (
    <Sheet title={`${label('action', 'pay')} · ${ticket.ticket_no}`} foot={<Send name={label('action', 'pay')} ready={draft.method !== '' && !!minor} send={send} />}>
      {ticket.quote && (
        <p class="total">
          {t('total')} <b>{moneyText(ticket.quote.total_minor, currency)}</b>
        </p>
      )}
      <Choices name={t('pay_method')} options={METHODS.map((code) => ({ code, label: label('pay', code) }))} value={draft.method} choose={(code) => set({ ...draft, method: code as PayMethod })} />
      <Field name={t('pay_amount')}>
        <input type="text" inputMode="decimal" value={draft.amount} onInput={(e) => set({ ...draft, amount: e.currentTarget.value })} />
      </Field>
      <Field name={t('pay_reference')} optional>
        <input type="text" maxLength={200} value={draft.reference} onInput={(e) => set({ ...draft, reference: e.currentTarget.value })} />
      </Field>
    </Sheet>
  )
}
