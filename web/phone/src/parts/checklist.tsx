import { useRef, useState } from 'preact/hooks'
import { asked, type Answers } from '../core/checklist'
import { queue } from '../core/state'
import type { ChecklistItem, ChecklistValue, OutcomeCode } from '../core/wire'
import { own, t } from '../core/words'
import { Choices, Field, say, Send } from './basics'
import { Icon } from './icons'
import { PaperPad, type Pad } from './pad'
import { keepPhoto } from './photos'

interface Props {
  ticketId: string
  items: ChecklistItem[]
  outcome: OutcomeCode | ''
  answers: Answers
  set: (answers: Answers) => void
}

/** The steps of this kind of work, large enough for a thumb; a branch not taken is not shown. */
export function Checklist({ ticketId, items, outcome, answers, set }: Props) {
  const answer = (item: string, value: ChecklistValue | '') => set({ ...answers, [item]: value })
  return (
    <>
      {asked(items, outcome, answers).map((item) => (
        <Item key={item.item} ticketId={ticketId} item={item} value={answers[item.item] ?? ''} answer={(value) => answer(item.item, value)} />
      ))}
    </>
  )
}

interface ItemProps {
  ticketId: string
  item: ChecklistItem
  value: ChecklistValue | ''
  answer: (value: ChecklistValue | '') => void
}

function Item({ ticketId, item, value, answer }: ItemProps) {
  const name = own(item.label)
  const optional = !item.required
  switch (item.kind) {
    case 'yes_no': {
      const options = [{ code: 'yes', label: t('answer_yes') }, { code: 'no', label: t('answer_no') }]
      return <Choices name={name} options={options} value={value === '' ? '' : value ? 'yes' : 'no'} choose={(code) => answer(code === 'yes')} />
    }
    case 'choice':
      return <Choices name={name} options={(item.choices ?? []).map((c) => ({ code: c.code, label: own(c.label) }))} value={String(value)} choose={answer} />
    case 'number':
      return (
        <Field name={item.unit ? `${name} (${item.unit})` : name} optional={optional}>
          <input type="text" inputMode="decimal" placeholder={bounds(item)} value={String(value)} onInput={(e) => answer(e.currentTarget.value.trim().replace(',', '.'))} />
        </Field>
      )
    case 'text':
      return (
        <Field name={name} optional={optional}>
          <input type="text" maxLength={500} value={String(value)} onInput={(e) => answer(e.currentTarget.value)} />
        </Field>
      )
    case 'photo':
      return <PhotoItem ticketId={ticketId} name={name} taken={value !== ''} answer={answer} />
    case 'signature':
      return <SignatureItem ticketId={ticketId} name={name} taken={value !== ''} answer={answer} />
  }
}

function bounds({ least, most }: ChecklistItem): string {
  return least == null && most == null ? '' : `${least ?? ''} – ${most ?? ''}`
}

/** How the answer names a photo: by its hash, which the server knows before the photo has come. */
function nameOf(photoId: string): string {
  return queue.value.photos.find((photo) => photo.photo_id === photoId)?.sha256 ?? photoId
}

interface TakenProps {
  ticketId: string
  name: string
  taken: boolean
  answer: (value: string) => void
}

function PhotoItem({ ticketId, name, taken, answer }: TakenProps) {
  const input = useRef<HTMLInputElement>(null)
  const add = async (file: File | undefined) => {
    if (!file) return
    try {
      answer(nameOf(await keepPhoto(ticketId, 'completion', file)))
    } catch (error) {
      say(error instanceof TypeError ? 'photo_unreadable' : error instanceof RangeError ? 'photo_too_large' : 'storage_full', true)
    }
  }
  return (
    <div class="field">
      <span>{name}</span>
      <button type="button" class={taken ? 'plain wide' : 'plain wide wanted'} onClick={() => input.current?.click()}>
        <Icon name={taken ? 'check' : 'camera'} />
        {t(taken ? 'take_another' : 'take_photo')}
      </button>
      <input ref={input} type="file" accept="image/*" capture="environment" hidden onChange={(e) => void add(e.currentTarget.files?.[0])} />
    </div>
  )
}

function SignatureItem({ ticketId, name, taken, answer }: TakenProps) {
  const pad = useRef<Pad>(null)
  const [signed, setSigned] = useState(false)
  const keep = async () => {
    const picture = await pad.current?.picture()
    if (!picture) return say('too_little_ink', true)
    answer(nameOf(await keepPhoto(ticketId, 'completion', picture)))
  }
  if (taken) {
    return (
      <p class="good">
        <Icon name="check" size={18} /> {name}
      </p>
    )
  }
  return (
    <div class="field">
      <span>{name}</span>
      <PaperPad pad={pad} signed={signed} onSigned={() => setSigned(true)} />
      <Send name={t('keep_signature')} ready={signed} send={keep} />
    </div>
  )
}
