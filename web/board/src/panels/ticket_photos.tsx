import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { dayTime, distanceText } from '../../../shared/formats'
import { Dialog, Empty, IconButton } from '../parts/basics'
import { api, engineers, now, zoneOf } from '../state'
import type { EvidenceLine, TicketView } from '../wire'
import { label, language, t } from '../words'

export function Photos({ view }: { view: TicketView }): JSX.Element {
  const [open, setOpen] = useState<number | null>(null)
  const zone = zoneOf(view.ticket)
  if (!view.evidence.length) return <Empty title={t('no_photos')} />
  const ready = view.evidence.filter((line) => !line.photo.pending)
  return (
    <>
      <ul class="photos">
        {view.evidence.map((line) => (
          <li key={line.photo.photo_id}>
            {line.photo.pending ? (
              <span class="photo-pending">{t('photo_pending')}</span>
            ) : (
              <button type="button" aria-label={t('photo_open', { name: label('photo', line.photo.kind) })} onClick={() => setOpen(ready.indexOf(line))}>
                <img src={api.photoUrl(line.photo.photo_id, 'thumb')} alt={label('photo', line.photo.kind)} loading="lazy" width="160" height="120" />
              </button>
            )}
            <Caption line={line} zone={zone} />
          </li>
        ))}
      </ul>
      {open !== null && ready[open] && <Lightbox lines={ready} at={open} zone={zone} onMove={setOpen} onClose={() => setOpen(null)} />}
    </>
  )
}

function Caption({ line, zone }: { line: EvidenceLine; zone: string }): JSX.Element {
  const engineer = engineers.value.find((one) => one.engineer_id === line.engineer_id)
  return (
    <div class="caption">
      <strong>{label('photo', line.photo.kind)}</strong>
      <small>
        {[dayTime(line.photo.taken_at, zone, now.value, language.value), engineer?.name, line.distance_m === null ? null : t('photo_distance', { distance: distanceText(line.distance_m, language.value) })]
          .filter(Boolean)
          .join(' · ')}
      </small>
      {line.flags.map((flag) => (
        <span key={flag} class="tag" data-tone="warn">{label('flag', flag)}</span>
      ))}
      {[...new Set(line.doubts.map((doubt) => doubt.code))].filter((code) => !line.flags.includes(code)).map((code) => (
        <span key={code} class="tag" data-tone="warn">{label('flag', code)}</span>
      ))}
      {!!line.doubt_score && (
        <details class="doubts">
          <summary>{t('doubt_score', { n: line.doubt_score })}</summary>
          <ul aria-label={t('doubts_why')}>
            {line.doubts.map((doubt) => (
              <li key={doubt.code}><span>{label('flag', doubt.code)}</span><small>{t('doubt_points', { n: doubt.points })}</small></li>
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

function Lightbox(props: { lines: EvidenceLine[]; at: number; zone: string; onMove: (at: number) => void; onClose: () => void }): JSX.Element {
  const { lines, at } = props
  const line = lines[at]!
  const move = (step: number): void => props.onMove((at + step + lines.length) % lines.length)
  return (
    <Dialog name={label('photo', line.photo.kind)} class="lightbox" onClose={props.onClose}>
      <div
        class="lightbox-inside"
        onKeyDown={(event) => {
          if (event.key === 'ArrowRight') move(1)
          if (event.key === 'ArrowLeft') move(-1)
        }}
      >
        <img src={api.photoUrl(line.photo.photo_id, 'large')} alt={label('photo', line.photo.kind)} />
        <footer>
          <Caption line={line} zone={props.zone} />
          <span class="spring" />
          {lines.length > 1 && <button type="button" class="button" onClick={() => move(-1)}>{t('photo_previous')}</button>}
          {lines.length > 1 && <button type="button" class="button" onClick={() => move(1)}>{t('photo_next')}</button>}
          <IconButton icon="close" name={t('close')} onClick={props.onClose} />
        </footer>
      </div>
    </Dialog>
  )
}
