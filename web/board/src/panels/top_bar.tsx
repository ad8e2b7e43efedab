import type { JSX } from 'preact'
import { clockTime, dayName } from '../../../shared/formats'
import { Icon, type IconName } from '../parts/icons'
import { go, route, type Page } from '../route'
import { board, clockRate, isLive, me, now, signOut, zoneOf } from '../state'
import { chooseLanguage, language, own, t, type Key } from '../words'

const PAGES: readonly { page: Page; hash: string; name: Key; icon: IconName; only?: 'own' | 'contractor' }[] = [
  { page: 'desk', hash: '#/desk', name: 'nav_desk', icon: 'tick', only: 'contractor' },
  { page: 'board', hash: '#/', name: 'nav_board', icon: 'list' },
  { page: 'engineers', hash: '#/engineers', name: 'nav_engineers', icon: 'people' },
  { page: 'bulk', hash: '#/bulk', name: 'nav_bulk', icon: 'clock', only: 'own' },
  { page: 'settings', hash: '#/settings', name: 'nav_settings', icon: 'wrench', only: 'own' },
]

export function LanguageSwitch(): JSX.Element {
  return (
    <button
      type="button"
      class="button quiet small language"
      aria-label={`${t('language_other')} (${t('language_switch')})`}
      onClick={() => chooseLanguage(language.value === 'zh' ? 'en' : 'zh')}
    >
      {t('language_other')}
    </button>
  )
}

export function TopBar(): JSX.Element {
  const person = me.value!
  /** A contractor's dispatcher has a desk of their own, and looks at the rest. */
  const outside = person.role === 'contractor'
  return (
    <header class="top-bar">
      <a class="brand" href="#/">
        <img src="/board/icon.svg" alt={t('app')} width="26" height="26" />
        <strong>{own(person.tenant_name)}</strong>
        {person.is_demo && <span class="tag">{t('demo')}</span>}
      </a>
      <nav aria-label={t('nav')}>
        {PAGES.filter((one) => !one.only || (one.only === 'contractor') === outside).map(({ page, hash, name, icon }) => {
          const here = route.value.page === page || (page === 'board' && route.value.page === 'new')
          return (
            <a key={page} href={hash} aria-current={here ? 'page' : undefined}>
              <Icon name={icon} />
              <span>{t(name)}</span>
            </a>
          )
        })}
      </nav>
      <LiveClock />
      <LanguageSwitch />
      <details class="account">
        <summary aria-label={`${t('account')}: ${person.name}`}>
          <span class="avatar" aria-hidden="true">{[...person.name][0]}</span>
        </summary>
        <div class="account-menu">
          <p>
            <strong>{person.name}</strong>
            <small>{t(`admin_role_${person.role}`)}</small>
          </p>
          <LanguageSwitch />
          <a class="button wide" href="#/security">{t('nav_security')}</a>
          <button type="button" class="button wide" onClick={() => void signOut()}>{t('sign_out')}</button>
        </div>
      </details>
      {!outside && (
        <button type="button" class="button primary new-ticket" onClick={() => go('#/new')} title={`${t('new_ticket')} (n)`}>
          <Icon name="plus" />
          <span>{t('new_ticket')}</span>
        </button>
      )}
    </header>
  )
}

function LiveClock(): JSX.Element {
  const zone = zoneOf(null)
  return (
    <div class="live-clock">
      <span class="live" data-live={isLive.value} role="status">
        {isLive.value ? t('live') : t('live_reconnecting')}
      </span>
      <span class="clock" title={`${t('server_time')} · ${zone}`}>
        {board.value && (
          <>
            <small>{dayDate(zone)}</small>
            <time>{clockTime(now.value, zone)}</time>
            {clockRate.value > 1.5 && <small class="rate">{t('clock_rate', { n: Math.round(clockRate.value) })}</small>}
          </>
        )}
      </span>
    </div>
  )
}

/** The date, also when it is today: the demo's day need not be the screen's. */
function dayDate(zone: string): string {
  return dayName(now.value, zone, 0, language.value)
}
