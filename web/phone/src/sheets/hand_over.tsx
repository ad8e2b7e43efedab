import { useEffect, useState } from 'preact/hooks'
import { api } from '../core/app'
import type { ShownTicket } from '../core/overlay'
import type { Colleague } from '../core/wire'
import { label, t } from '../core/words'
import { Choices, Field, Send, Sheet, TextArea } from '../parts/basics'
import { sendAndClose, textFact } from './sending'

const SHOW = 30

export function HandOverSheet({ ticket }: { ticket: ShownTicket }) {
  const [colleagues, setColleagues] = useState<Colleague[] | 'offline' | null>(null)
  const [sought, setSought] = useState('')
  const [whom, setWhom] = useState('')
  const [text, setText] = useState('')
  useEffect(() => void api.colleagues().then(setColleagues, () => setColleagues('offline')), [])
  const found = Array.isArray(colleagues) ? colleagues.filter((one) => one.name.toLowerCase().includes(sought.trim().toLowerCase())) : []
  const send = () => sendAndClose(ticket, 'hand_over', { colleague_id: whom, ...textFact(text) })
  return (
    <Sheet title={`${label('action', 'hand_over')} · ${ticket.ticket_no}`} foot={<Send name={label('action', 'hand_over')} ready={whom !== ''} send={send} />}>
      {colleagues === null && <p class="sub">{t('loading')}</p>}
      {colleagues === 'offline' && <p class="warn">{t('colleagues_offline')}</p>}
      {Array.isArray(colleagues) && (
        <>
          <Field name={t('find_colleague')}>
            <input type="search" value={sought} onInput={(e) => setSought(e.currentTarget.value)} />
          </Field>
          {found.length === 0 && <p class="sub">{t('no_colleagues')}</p>}
          <Choices name={t('whom')} options={found.slice(0, SHOW).map((one) => ({ code: one.engineer_id, label: one.name }))} value={whom} choose={setWhom} />
        </>
      )}
      <Field name={t('note_text')} optional>
        <TextArea value={text} set={setText} />
      </Field>
    </Sheet>
  )
}
