import type { ComponentChildren, JSX } from 'preact'
import { ageText, countdown, dayTime, durationText, moneyText, windowText } from '../../../shared/formats'
import { Due, IconButton } from '../parts/basics'
import { Icon } from '../parts/icons'
import { flyTo } from '../map/map_state'
import { catalogue, engineers, now, say, zoneOf } from '../state'
import type { OfferLine, TicketView } from '../wire'
import { label, language, own, t } from '../words'
import { PositionAge } from './engineers'

export function Details({ view }: { view: TicketView }): JSX.Element {
  const { ticket } = view
  const zone = zoneOf(ticket)
  const time = (at: string): string => dayTime(at, zone, now.value, language.value)
  const territory = catalogue.value?.territories.find((one) => one.territory_id === ticket.territory_id)
  const engineer = engineers.value.find((one) => one.engineer_id === ticket.engineer_id)
  return (
    <>
      <dl class="facts">
        <Fact name={t('engineer')}>
          {ticket.engineer_name ? (
            <>
              <strong>{ticket.engineer_name}</strong>
              {' '}
              <small>{t(ticket.acknowledged ? 'seen' : 'not_seen')}</small>
              {engineer && <> · <PositionAge engineer={engineer} /></>}
              {ticket.eta_at && (ticket.status === 'assigned' || ticket.status === 'en_route') && <div><small>{t(ticket.eta_estimated ? 'eta_estimated' : 'eta', { time: time(ticket.eta_at) })}</small></div>}
            </>
          ) : (
            <span class="faint">{t('unassigned')}</span>
          )}
        </Fact>
        {view.crew.length > 1 && <Fact name={t('crew')}>{view.crew.map((one) => `${String(one['name'] ?? '')}（${label('role', String(one['role'] ?? 'helper'))}）`).join('，')}</Fact>}
        <Fact name={t('window')}>
          {ticket.window ? windowText(ticket.window.start, ticket.window.end, zone, now.value, language.value) : <span class="faint">{t('none')}</span>}
        </Fact>
        {ticket.due_at && <Fact name={t('due_at')}>{time(ticket.due_at)} <Due ticket={ticket} /></Fact>}
        {ticket.hold_until && ticket.status === 'on_hold' && <Fact name={label('status', 'on_hold')}>{t('held_until', { time: time(ticket.hold_until) })}</Fact>}
        <Fact name={t('contact')}>
          <span>{view.contact.name ?? <span class="faint">{t('none')}</span>}</span>
          {view.contact.phone && (
            <a class="phone" href={`tel:${view.contact.phone.replaceAll(' ', '')}`} aria-label={t('call', { name: view.contact.phone })}>
              <Icon name="phone" size={15} /> {view.contact.phone}
            </a>
          )}
        </Fact>
        <Fact name={t('address')}>
          {ticket.address}
          {view.door && <div>{view.door}</div>}
          {ticket.site ? (
            <button type="button" class="link" onClick={() => flyTo(ticket.site!)}>{t('show_on_map')}</button>
          ) : (
            <span class="tag" data-tone="warn">{t('no_site')}</span>
          )}
        </Fact>
        {territory && <Fact name={t('territory')}>{own(territory.name)}</Fact>}
        <Fact name={t('duration')}>{durationText(ticket.work_type.duration_min * 60_000, language.value)}</Fact>
        <Fact name={t('created_at')}>
          {time(ticket.created_at)} · {label('source', ticket.source)}
        </Fact>
        {view.customer_link && <Fact name={t('customer_link')}><CopyLink link={view.customer_link} /></Fact>}
        {view.quote && (
          <Fact name={t('quote')}>
            {moneyText(view.quote.total_minor, view.quote.currency, language.value)} · {label('quote', view.quote.status)}
          </Fact>
        )}
        {view.acceptances.map((one) => (
          <Fact key={one.at} name={t('acceptance')}>
            <strong>{t(`verdict_${one.verdict}`)}</strong> · {time(one.at)} · {label('actor', one.actor)}
            {one.witnessed_by && <div><small>{t('witnessed')}</small></div>}
            {one.rating !== null && <div>{t('rating', { n: one.rating })}</div>}
            {one.reason && <div>{label('reason', one.reason)}</div>}
            {one.text && <div>{one.text}</div>}
          </Fact>
        ))}
      </dl>
      {view.offers.length > 0 && <Offers offers={view.offers} />}
    </>
  )
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function CopyLink({ link }: { link: string }): JSX.Element {
  const whole = new URL(link, location.href).href
  return (
    <span class="copy-link">
      <a href={whole} target="_blank" rel="noopener">{whole.replace(/^https?:\/\//, '')}</a>
      <IconButton
        icon="copy"
        name={t('copy')}
        onClick={() => {
          // Without HTTPS the browser has no clipboard at all.
          const copied = navigator.clipboard?.writeText(whole) ?? Promise.reject(new Error('no clipboard'))
          copied.then(() => say('good', t('copied')), () => say('bad', t('copy_refused')))
        }}
      />
    </span>
  )
}

function Offers({ offers }: { offers: OfferLine[] }): JSX.Element {
  const newest = [...offers].sort((a, b) => Date.parse(b.offered_at) - Date.parse(a.offered_at))
  return (
    <section class="offers">
      <h3>{t('offers')}</h3>
      <ul>
        {newest.map((offer) => (
          <li key={offer.offer_id} data-offer={offer.status}>
            <strong>{offer.engineer_name ?? t('contractor')}</strong>
            <span class="offer-status">
              {label('offer', offer.status)}
              {offer.status === 'pending' && <b class="timer">{countdown(Date.parse(offer.expires_at) - now.value)}</b>}
            </span>
            <small>
              {[
                t('offer_round', { n: offer.round }),
                ageText(now.value - Date.parse(offer.offered_at), language.value),
                offer.status === 'pending' ? t(offer.seen_at ? 'offer_seen' : 'offer_unseen') : null,
                offer.reason ? label('reason', offer.reason) : null,
              ].filter(Boolean).join(' · ')}
            </small>
          </li>
        ))}
      </ul>
    </section>
  )
}
