import type { ComponentChildren } from 'preact'
import { openSheet } from '../core/route'
import type { ShownOffer, ShownTicket } from '../core/overlay'
import { now } from '../core/state'
import { countdown, distanceText, label, minutesText, own, t, clockTime, dayTime } from '../core/words'
import { Icon } from './icons'
import { DueLine, PriorityMark, StatusPill, WindowLine } from './pieces'

/** The ticket to do now, large. */
export function HeroCard({ ticket }: { ticket: ShownTicket }) {
  return (
    <article class={`hero s-${ticket.status}`}>
      <a class="hero-body" href={`#/ticket/${ticket.ticket_id}`}>
        <div class="row">
          <StatusPill ticket={ticket} />
          <PriorityMark priority={ticket.priority} />
          <NotSent ticket={ticket} />
          <span class="number">{ticket.ticket_no}</span>
        </div>
        <WindowLine window={ticket.window} big />
        <h2>{own(ticket.work_type.name)}</h2>
        <p class="address">
          {ticket.address}
          {ticket.door && <b> {ticket.door}</b>}
        </p>
        {ticket.description && <p class="sub clamp">{ticket.description}</p>}
        <div class="row facts">
          {ticket.status === 'en_route' && ticket.eta_at && <span>{t(ticket.eta_estimated ? 'eta_estimated' : 'eta', { time: clockTime(ticket.eta_at) })}</span>}
          {ticket.status === 'on_site' && ticket.checked_in_at && <span>{t('arrived_at', { time: clockTime(ticket.checked_in_at) })}</span>}
          <DueLine due={ticket.due_at} />
        </div>
      </a>
      <QuickRow ticket={ticket} />
    </article>
  )
}

/** Call and navigate: what a driver needs before anything else. */
export function QuickRow({ ticket }: { ticket: ShownTicket }) {
  const { name, phone } = ticket.contact
  const inside = (
    <>
      <Icon name="call" />
      <span class="call">
        {t('call')}
        {name && <small class="clip">{name}</small>}
      </span>
    </>
  )
  return (
    <div class="quick">
      <button type="button" class="plain" disabled={!ticket.site && !ticket.address} onClick={() => openSheet('navigate', ticket.ticket_id)}>
        <Icon name="navigate" />
        {t('navigate')}
      </button>
      {phone ? (
        <a class="plain" href={`tel:${phone.replace(/[^+\d]/g, '')}`}>{inside}</a>
      ) : (
        <span class="plain off">{inside}</span>
      )}
    </div>
  )
}

export function NotSent({ ticket }: { ticket: { queued: string[] } }) {
  if (ticket.queued.length === 0) return null
  return (
    <span class="pill unsent">
      <Icon name="up" size={14} />
      {t('not_sent_yet')}
    </span>
  )
}

/** One line of the day. */
export function TicketRow({ ticket }: { ticket: ShownTicket }) {
  const from = ticket.window?.start ?? ticket.eta_at
  return (
    <li>
      <a class="ticket-row" href={`#/ticket/${ticket.ticket_id}`}>
        <span class="at">
          {from ? clockTime(from) : <small>{t('no_time')}</small>}
          {ticket.window && <small>{clockTime(ticket.window.end)}</small>}
        </span>
        <span class="what">
          <span class="row">
            <b class="clip">{own(ticket.work_type.name)}</b>
            <PriorityMark priority={ticket.priority} />
          </span>
          <span class="clip sub">{ticket.address}</span>
          <span class="row">
            <StatusPill ticket={ticket} />
            <NotSent ticket={ticket} />
            {ticket.status === 'on_hold' && ticket.hold_until && <small class="sub">{t('held_until', { time: dayTime(ticket.hold_until) })}</small>}
            {ticket.outcome && <small class="sub">{label('outcome', ticket.outcome)}</small>}
          </span>
        </span>
        <Icon name="next" size={18} />
      </a>
    </li>
  )
}

/** An offer, a colleague's ticket or one of the pool; `children` are its buttons. */
export function OfferView({ offer, children }: { offer: ShownOffer; children: ComponentChildren }) {
  const leftS = offer.expires_at ? (Date.parse(offer.expires_at) - now.value) / 1_000 : null
  const over = leftS !== null && leftS <= 0
  const travel = offer.travel_s === null ? null : minutesText(Math.max(1, Math.round(offer.travel_s / 60)))
  return (
    <li class={over ? 'offer over' : 'offer'}>
      <div class="row">
        {offer.kind === 'hand_over' && <span class="pill s-assigned">{t('from_colleague')}</span>}
        <PriorityMark priority={offer.priority} />
        <span class="number">{offer.ticket_no}</span>
        {leftS !== null && (
          <span class={leftS < 60 ? 'timer short' : 'timer'}>
            <Icon name="clock" size={18} />
            {over ? t('expired') : countdown(leftS)}
          </span>
        )}
      </div>
      <h2>{own(offer.work_type.name)}</h2>
      {offer.window && <WindowLine window={offer.window} />}
      <p class="address">{offer.address}</p>
      <div class="row facts">
        {offer.distance_m !== null && (
          <span class="strong">
            <Icon name="pin" size={16} />
            {travel
              ? t(offer.travel_estimated === false ? 'away_travel' : 'away_travel_estimated', { distance: distanceText(offer.distance_m), minutes: travel })
              : t('away', { distance: distanceText(offer.distance_m) })}
          </span>
        )}
        <span>{t('duration', { n: offer.work_type.duration_min })}</span>
        <DueLine due={offer.due_at} />
      </div>
      {offer.description && <p class="sub clamp">{offer.description}</p>}
      {offer.queued.length > 0 ? (
        <p class="asked">
          <Icon name="up" size={18} />
          {offer.queued.includes('decline_offer') ? `${label('action', 'decline_offer')} · ${t('not_sent_yet')}` : t('asked_accept')}
        </p>
      ) : (
        <div class="buttons">{children}</div>
      )}
    </li>
  )
}

