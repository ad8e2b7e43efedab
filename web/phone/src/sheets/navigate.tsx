import type { ShownTicket } from '../core/overlay'
import { own, t, type Key } from '../core/words'
import { say, Sheet } from '../parts/basics'
import { Icon } from '../parts/icons'

/** Links that start a driving route; the site's position is WGS-84 and each link says so or expects it. */
export function mapLinks(ticket: Pick<ShownTicket, 'site' | 'address'>, name: string): { key: Key; href: string }[] {
  const text = encodeURIComponent(name)
  const address = encodeURIComponent(ticket.address)
  if (!ticket.site) {
    return [
      { key: 'amap', href: `https://uri.amap.com/search?keyword=${address}&src=paidan&callnative=1` },
      { key: 'google', href: `https://www.google.com/maps/dir/?api=1&destination=${address}&travelmode=driving` },
      { key: 'phone_map', href: `geo:0,0?q=${address}` },
    ]
  }
  const { lat, lon } = ticket.site
  return [
    { key: 'amap', href: `https://uri.amap.com/navigation?to=${lon},${lat},${text}&mode=car&coordinate=wgs84&src=paidan&callnative=1` },
    { key: 'google', href: `https://www.google.com/maps/dir/?api=1&destination=${lat},${lon}&travelmode=driving` },
    { key: 'phone_map', href: `geo:${lat},${lon}?q=${lat},${lon}(${text})` },
  ]
}

export function NavigateSheet({ ticket }: { ticket: ShownTicket }) {
  const copy = () => navigator.clipboard?.writeText(ticket.address).then(() => say('copied'), () => undefined)
  return (
    <Sheet title={t('navigate')}>
      <p class="address">{ticket.address}</p>
      {!ticket.site && <p class="sub">{t('no_position_known')}</p>}
      <ul class="menu">
        {mapLinks(ticket, own(ticket.work_type.name)).map(({ key, href }) => (
          <li key={key}>
            <a class="item" href={href} target="_blank" rel="noreferrer">
              {t(key)}
              <Icon name="navigate" size={20} />
            </a>
          </li>
        ))}
        <li>
          <button type="button" class="item" onClick={copy}>
            {t('copy_address')}
          </button>
        </li>
      </ul>
    </Sheet>
  )
}
