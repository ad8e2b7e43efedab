import { act } from '../core/app'
import type { ShownOffer } from '../core/overlay'
import { openSheet, route } from '../core/route'
import { now, shown } from '../core/state'
import { label, t } from '../core/words'
import { Empty, Send } from '../parts/basics'
import { ReachChip, Strips } from '../parts/pieces'
import { OfferView } from '../parts/ticket_cards'
import { ReasonSheet } from '../sheets/reason'

export function OffersScreen() {
  const offers = shown.value?.offers ?? []
  const { ticketId, sheet } = route.value
  const asked = offers.find((offer) => offer.ticket_id === ticketId)
  return (
    <>
      <header class="head">
        <h1>{t('offers')}</h1>
        <ReachChip />
      </header>
      <main class="page">
        <Strips />
        {offers.length === 0 && <Empty icon="offers" title={t('no_offers')} hint={t('no_offers_hint')} />}
        <ul class="cards">
          {offers.map((offer) => (
            <OneOffer key={`${offer.kind}-${offer.offer_id}`} offer={offer} />
          ))}
        </ul>
      </main>
      {sheet === 'decline_offer' && asked && <ReasonSheet ticket={asked} action="decline_offer" facts={asked.offer_id ? { offer_id: asked.offer_id } : {}} />}
    </>
  )
}

function OneOffer({ offer }: { offer: ShownOffer }) {
  const offerId = offer.offer_id
  const over = offer.expires_at !== null && Date.parse(offer.expires_at) <= now.value
  const accept = offer.allowed_actions.find((action) => action === 'accept_offer' || action === 'accept_hand_over')
  return (
    <OfferView offer={offer}>
      {offer.allowed_actions.includes('decline_offer') && (
        <button type="button" class="plain" disabled={over} onClick={() => openSheet('decline_offer', offer.ticket_id)}>
          {label('action', 'decline_offer')}
        </button>
      )}
      {accept && <Send name={label('action', accept)} ready={!over} send={() => act(offer, accept, offerId ? { offer_id: offerId } : {})} />}
    </OfferView>
  )
}
