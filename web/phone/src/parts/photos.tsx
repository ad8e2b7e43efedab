import { useEffect, useRef, useState } from 'preact/hooks'
import { api, freshReading, outbox, serverIso } from '../core/app'
import type { QueuedPhoto } from '../core/db'
import { readyPhoto } from '../core/photo'
import { queue, session } from '../core/state'
import { uuid7 } from '../core/uuid7'
import type { PhotoCard, TakenKind } from '../core/wire'
import { t } from '../core/words'
import { say } from './basics'
import { Icon } from './icons'

/** The sheet's photos: taken for this ticket and kind, not yet part of any command. */
export function draftPhotos(ticketId: string, kind: TakenKind): QueuedPhoto[] {
  return queue.value.photos.filter((photo) => photo.ticket_id === ticketId && photo.kind === kind && photo.command_id === null)
}

/** Keeps a finished picture on the phone as one of the sheet's photos. */
export async function keepPhoto(ticketId: string, kind: TakenKind, file: Blob): Promise<string> {
  const ready = await readyPhoto(file, serverIso(), freshReading())
  const photo_id = uuid7()
  await outbox.addPhoto({
    ...ready, photo_id, ticket_id: ticketId, kind, engineer_id: session.value?.engineer_id ?? '',
    command_id: null, sent: false, tries: 0, refused: null,
  })
  return photo_id
}

/** The camera and what it has taken so far. */
export function PhotoTaker({ ticketId, kind, needed }: { ticketId: string; kind: TakenKind; needed: number }) {
  const input = useRef<HTMLInputElement>(null)
  const [busy, setBusy] = useState(0)
  const taken = draftPhotos(ticketId, kind)
  const add = async (files: FileList | null) => {
    for (const file of Array.from(files ?? [])) {
      setBusy((n) => n + 1)
      try {
        await keepPhoto(ticketId, kind, file)
      } catch (error) {
        if (error instanceof TypeError) say('photo_unreadable', true)
        else if (error instanceof RangeError) say('photo_too_large', true)
        else say('storage_full', true)
      } finally {
        setBusy((n) => n - 1)
      }
    }
    if (input.current) input.current.value = ''
  }
  return (
    <div class="taker">
      <div class="shots">
        {taken.map((photo) => (
          <figure key={photo.photo_id}>
            <KeptPhoto photo={photo} />
            <button type="button" class="round drop" aria-label={t('remove_photo')} onClick={() => void outbox.dropPhoto(photo.photo_id)}>
              <Icon name="close" size={18} />
            </button>
          </figure>
        ))}
        {busy > 0 && <figure class="busy">{t('preparing_photo')}</figure>}
        <button type="button" class={taken.length < needed ? 'shoot wanted' : 'shoot'} onClick={() => input.current?.click()}>
          <Icon name="camera" size={28} />
          {t(taken.length ? 'take_another' : 'take_photo')}
        </button>
      </div>
      <input ref={input} type="file" accept="image/*" capture="environment" hidden onChange={(e) => void add(e.currentTarget.files)} />
    </div>
  )
}

/** A photo still on this phone. */
export function KeptPhoto({ photo }: { photo: QueuedPhoto }) {
  const [url, setUrl] = useState('')
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([photo.bytes], { type: photo.type }))
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [photo.photo_id])
  return url ? <img src={url} alt={t('photos')} /> : null
}

/** A photo on the server: small first, large on tap. */
export function ServerPhoto({ photo }: { photo: PhotoCard }) {
  const [url, setUrl] = useState('')
  const [large, setLarge] = useState(false)
  const [failed, setFailed] = useState(false)
  useEffect(() => {
    let made = ''
    let gone = false
    api.photo(photo.photo_id, large ? 'large' : 'thumb').then(
      (blob) => {
        if (gone) return
        made = URL.createObjectURL(blob)
        setUrl(made)
        setFailed(false)
      },
      () => setFailed(true),
    )
    return () => {
      gone = true
      if (made) URL.revokeObjectURL(made)
    }
  }, [photo.photo_id, large, photo.pending])
  if (photo.pending) return <figure class="busy">{t('photo_pending')}</figure>
  if (failed && !url) return <figure class="busy">{t('photo_not_here')}</figure>
  return (
    <figure class={large ? 'large' : ''}>
      <button type="button" onClick={() => setLarge(!large)}>
        {url && <img src={url} alt={t('photos')} />}
      </button>
    </figure>
  )
}
