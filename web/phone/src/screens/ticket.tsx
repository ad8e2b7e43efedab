import { useEffect, useState } from 'preact/hooks'
import { ticketDetail } from '../core/app'
import type { ShownTicket } from '../core/overlay'
import { goInstead, route } from '../core/route'
import { queue, shown } from '../core/state'
import type { EventCard } from '../core/wire'
import { clockTime, dayTime, label, moneyText, own, t } from '../core/words'
import { Empty, SheetMeanwhile } from '../parts/basics'
import { Icon } from '../parts/icons'
import { MainBar } from '../parts/main_bar'
import { KeptPhoto, ServerPhoto } from '../parts/photos'
import { DueLine, PriorityMark, ReachChip, StatusPill, Strips, WindowLine } from '../parts/pieces'
import { NotSent, QuickRow } from '../parts/ticket_cards'
import { lazy } from '../parts/lazy'

const ActionSheet = lazy(() => import('../sheets/action_sheet').then((m) => m.ActionSheet), SheetMeanwhile)

export function TicketScreen() {
  const { ticketId, sheet } = route.value
  const ticket = shown.value?.tickets.find((one) => one.ticket_id === ticketId)
  return (
    <>
      <header class="head">
        <button type="button" class="round" aria-label={t('back')} onClick={leave}>
          <Icon name="back" />
        </button>
        <h1>{ticket?.ticket_no ?? ''}</h1>
        <ReachChip />
      </header>
      {ticket ? <Ticket ticket={ticket} /> : <NotMine />}
      {ticket && sheet && <ActionSheet key={sheet} ticket={ticket} sheet={sheet} />}
    </>
  )
}

function leave(): void {
  if (history.length > 1) history.back()
  else goInstead('today')
}

function NotMine() {
  return (
    <main class="page">
      <Strips />
      <Empty icon="today" title={t('not_mine')}>
        <a class="main" href="#/today">
          {t('today')}
        </a>
      </Empty>
    </main>
  )
}

function Ticket({ ticket }: { ticket: ShownTicket }) {
  return (
    <>
      <main class="page with-bar bar-only">
        <Strips />
        <article class={`hero s-${ticket.status}`}>
          <div class="hero-body">
            <div class="row">
              <StatusPill ticket={ticket} />
              <PriorityMark priority={ticket.priority} />
              {ticket.role !== 'lead' && <span class="pill">{t(`role_${ticket.role}`)}</span>}
              <NotSent ticket={ticket} />
            </div>
            <WindowLine window={ticket.window} big />
            <h2>{own(ticket.work_type.name)}</h2>
            <div class="row facts">
              <DueLine due={ticket.due_at} />
              {ticket.eta_at && ticket.status === 'en_route' && <span>{t(ticket.eta_estimated ? 'eta_estimated' : 'eta', { time: clockTime(ticket.eta_at) })}</span>}
              {ticket.checked_in_at && <span>{t('arrived_at', { time: dayTime(ticket.checked_in_at) })}</span>}
              {ticket.status === 'on_hold' && ticket.hold_until && <span>{t('held_until', { time: dayTime(ticket.hold_until) })}</span>}
              {ticket.outcome && <span>{t('ended_as', { outcome: label('outcome', ticket.outcome) })}</span>}
              <span>{t('duration', { n: ticket.work_type.duration_min })}</span>
              {ticket.visit_number > 1 && <span>{t('visit_number', { n: ticket.visit_number })}</span>}
            </div>
            {ticket.quote && (
              <p class={`quote q-${ticket.quote.status}`}>
                {t('quote_status', { total: moneyText(ticket.quote.total_minor, ticket.quote.currency), status: label('quote', ticket.quote.status) })}
              </p>
            )}
          </div>
        </article>
        <section class="card">
          <dl>
            <dt>{t('address')}</dt>
            <dd class="address">{ticket.address}</dd>
            {ticket.door && (
              <>
                <dt>{t('door')}</dt>
                <dd>{ticket.door}</dd>
              </>
            )}
            <dt>{t('contact')}</dt>
            <dd>
              {ticket.contact.name ?? '–'}
              {ticket.contact.phone && <span class="sub"> {ticket.contact.phone}</span>}
            </dd>
          </dl>
          <QuickRow ticket={ticket} />
        </section>
        {ticket.description && (
          <section class="card">
            <h3>{t('description')}</h3>
            <p class="text">{ticket.description}</p>
          </section>
        )}
        <Photos ticket={ticket} />
        <History ticket={ticket} />
      </main>
      <MainBar ticket={ticket} />
    </>
  )
}

function Photos({ ticket }: { ticket: ShownTicket }) {
  const known = new Set(ticket.photos.map((photo) => photo.photo_id))
  const kept = queue.value.photos.filter((photo) => photo.ticket_id === ticket.ticket_id && photo.command_id && !known.has(photo.photo_id))
  const here = new Set<string>(kept.map((photo) => photo.kind))
  const there = ticket.photos.filter((photo) => !(photo.pending && here.has(photo.kind)))
  return (
    <section class="card">
      <h3>
        {t('photos')} {there.length + kept.length > 0 && <small>{there.length + kept.length}</small>}
      </h3>
      {there.length + kept.length === 0 && <p class="sub">{t('no_photos')}</p>}
      <div class="shots">
        {kept.map((photo) => (
          <figure key={photo.photo_id} class="kept" data-mark={t('photo_pending')}>
            <KeptPhoto photo={photo} />
          </figure>
        ))}
        {there.map((photo) => (
          <ServerPhoto key={photo.photo_id} photo={photo} />
        ))}
      </div>
    </section>
  )
}

function History({ ticket }: { ticket: ShownTicket }) {
  const [events, setEvents] = useState<EventCard[] | null>(null)
  const [asked, setAsked] = useState(false)
  useEffect(() => {
    let gone = false
    void ticketDetail(ticket.ticket_id).then((detail) => {
      if (gone) return
      setEvents(detail?.history ?? null)
      setAsked(true)
    })
    return () => void (gone = true)
  }, [ticket.ticket_id, ticket.version])
  return (
    <section class="card">
      <h3>{t('history')}</h3>
      {!events && <p class="sub">{t(asked ? 'history_offline' : 'loading')}</p>}
      <ol class="history">
        {(events ?? []).map((event) => (
          <li key={event.seq}>
            <time>{dayTime(event.at)}</time>
            <span>
              <b>{label('action', event.action)}</b> <small class="sub">{label('actor', event.actor)}</small>
              {event.text && <p>{event.text}</p>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
