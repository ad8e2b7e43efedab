import { useState } from 'preact/hooks'
import { outbox, sync } from '../core/app'
import type { QueuedCommand, QueuedPhoto } from '../core/db'
import { goInstead } from '../core/route'
import { keepsStorage, latePhotos, queue, reach, refusedCommands, sending, waitingCommands } from '../core/state'
import { dayTime, label, problemText, t } from '../core/words'
import { Empty } from '../parts/basics'
import { Icon } from '../parts/icons'
import { KeptPhoto } from '../parts/photos'
import { ReachChip } from '../parts/pieces'

/** Refusals whose sheet can be opened again and put right. */
const CORRECTABLE = new Set(['check_in', 'complete', 'hold', 'quote', 'contact', 'hand_back', 'note', 'resolve_remotely', 'sign_off', 'reject'])

export function QueueScreen() {
  const waiting = waitingCommands.value
  const refused = refusedCommands.value
  const late = latePhotos.value
  const empty = waiting.length + refused.length + late.length === 0
  return (
    <>
      <header class="head">
        <button type="button" class="round" aria-label={t('back')} onClick={() => (history.length > 1 ? history.back() : goInstead('today'))}>
          <Icon name="back" />
        </button>
        <h1>{t('queue')}</h1>
        <ReachChip />
      </header>
      <main class="page">
        {keepsStorage.value === false && !empty && <p class="strip amber">{t('storage_refused')}</p>}
        {empty && <Empty icon="check" title={t('queue_empty')} />}
        {refused.length > 0 && (
          <section>
            <h3>{t('refused_title')}</h3>
            <ul class="cards">
              {refused.map((command) => (
                <RefusedCard key={command.command_id} command={command} />
              ))}
            </ul>
          </section>
        )}
        {waiting.length > 0 && (
          <section>
            <h3>
              {t('waiting_title')} <small>{waiting.length}</small>
            </h3>
            <ul class="rows">
              {waiting.map((command) => (
                <li key={command.command_id} class="queue-row">
                  <Icon name="up" />
                  <span>
                    <b>{named(command)}</b> {command.ticket_no}
                    <small class="sub"> {dayTime(command.at)}</small>
                  </span>
                  {command.photo_ids.length > 0 && (
                    <span class="sub">
                      <Icon name="camera" size={18} /> {command.photo_ids.length}
                    </span>
                  )}
                </li>
              ))}
            </ul>
          </section>
        )}
        {late.length > 0 && <LatePhotos late={late} />}
        {waiting.length + late.length > 0 && (
          <button type="button" class="main" disabled={sending.value || reach.value === 'offline'} onClick={() => void sync()}>
            {t(sending.value ? 'loading' : 'send_now')}
          </button>
        )}
      </main>
    </>
  )
}

const named = ({ action, request }: QueuedCommand): string =>
  request ? `${t(request.wanted ? 'my_request' : 'withdraw_request')} · ${t(`request_${request.kind}`)}` : label('action', action)

function RefusedCard({ command }: { command: QueuedCommand }) {
  const photos = queue.value.photos.filter((photo) => photo.command_id === command.command_id)
  const [sure, setSure] = useState(false)
  const correct = async () => {
    await outbox.correct(command.command_id)
    goInstead(`ticket/${command.ticket_id}/${command.action}`)
  }
  const dismiss = () => (photos.length && !sure ? setSure(true) : void outbox.dismiss(command.command_id))
  return (
    <li class="refused">
      <div class="row">
        <Icon name="alert" />
        <b>{named(command)}</b>
        {command.ticket_id && (
          <a class="number" href={`#/ticket/${command.ticket_id}`}>
            {command.ticket_no}
          </a>
        )}
        <small class="sub">{dayTime(command.at)}</small>
      </div>
      {command.refused && <p class="reason">{problemText(command.refused)}</p>}
      {command.facts.text && <p class="sub">{t('your_note', { text: command.facts.text })}</p>}
      {photos.length > 0 && (
        <div class="shots">
          {photos.map((photo) => (
            <figure key={photo.photo_id}>
              <KeptPhoto photo={photo} />
            </figure>
          ))}
        </div>
      )}
      {sure && <p class="warn">{t('dismiss_evidence', { n: photos.length })}</p>}
      <div class="buttons">
        <button type="button" class={sure ? 'plain danger' : 'plain'} onClick={dismiss}>
          {t('dismiss')}
        </button>
        {command.refused?.status === 422 && CORRECTABLE.has(command.action) ? (
          <button type="button" class="plain strong" onClick={() => void correct()}>
            {t('correct')}
          </button>
        ) : (
          <button type="button" class="plain strong" onClick={() => void outbox.retry(command.command_id).then(sync)}>
            {t('try_again')}
          </button>
        )}
      </div>
    </li>
  )
}

function LatePhotos({ late }: { late: QueuedPhoto[] }) {
  return (
    <section>
      <h3>
        {t('late_photos_title')} <small>{late.length}</small>
      </h3>
      <div class="shots">
        {late.map((photo) => (
          <figure key={photo.photo_id}>
            <KeptPhoto photo={photo} />
            {photo.refused && (
              <>
                <figcaption class="bad">{problemText(photo.refused)}</figcaption>
                <button type="button" class="round drop" aria-label={t('remove_photo')} onClick={() => void outbox.dropPhoto(photo.photo_id)}>
                  <Icon name="close" size={18} />
                </button>
              </>
            )}
          </figure>
        ))}
      </div>
    </section>
  )
}
