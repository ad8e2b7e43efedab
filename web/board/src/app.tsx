import { useSignalEffect } from '@preact/signals'
import { Suspense } from 'preact/compat'
import type { JSX } from 'preact'
import { dayTime } from '../../shared/formats'
import { useKeys } from './keys'
import { narrowTab } from './map/map_state'
import { placing } from './forms/site_placer'
import { BulkPage } from './panels/bulk_page'
import { Engineers } from './panels/engineers'
import { NewTicketPanel } from './panels/new_ticket'
import { Queue } from './panels/queue'
import { SignIn } from './panels/sign_in'
import { TicketPanel, useTitle } from './panels/ticket_panel'
import { TopBar } from './panels/top_bar'
import { Loading, Notices } from './parts/basics'
import { later } from './parts/later'
import { route } from './route'
import { board, isLive, me, selectedId, start, starting, startProblem, zoneOf } from './state'
import { language, problemText, t } from './words'

const SettingsPage = later(() => import('./settings/settings_page').then((module) => module.SettingsPage))
const ContractorDesk = later(() => import('./contractor/desk').then((module) => module.ContractorDesk))
const SecurityPage = later(() => import('./admin/security_page').then((module) => module.SecurityPage))
const MapView = later(() => import('./map/map_view').then((module) => module.MapView))

export function App(): JSX.Element {
  useTitle()
  useKeys()
  useSignalEffect(() => {
    document.documentElement.lang = language.value === 'zh' ? 'zh-CN' : 'en'
  })
  return (
    <>
      <Inside />
      <Notices />
    </>
  )
}

function Inside(): JSX.Element {
  if (starting.value) return <Loading />
  if (startProblem.value) {
    return (
      <main class="start-problem">
        <p>{problemText(startProblem.value)}</p>
        <button type="button" class="button primary" onClick={() => void start()}>{t('retry')}</button>
      </main>
    )
  }
  if (!me.value) return <SignIn />
  const { page } = route.value
  const outside = me.value.role === 'contractor'
  return (
    <div class="frame">
      <TopBar />
      {!isLive.value && board.value && (
        <p class="offline-bar" role="status">{t('live_off_note', { time: dayTime(board.value.now, zoneOf(null), Date.parse(board.value.now), language.value) })}</p>
      )}
      {page === 'engineers' && <Engineers />}
      {page === 'bulk' && !outside && <BulkPage />}
      <Suspense fallback={<Loading />}>
        {page === 'settings' && !outside && <SettingsPage />}
        {page === 'desk' && outside && <ContractorDesk />}
        {page === 'security' && <SecurityPage />}
      </Suspense>
      {(page === 'board' || page === 'new') && <Desk />}
    </div>
  )
}

/** Queue, map and the open panel; side by side where there is room, one at a time where there is not. */
function Desk(): JSX.Element {
  const side = route.value.page === 'new' && me.value?.role !== 'contractor' ? <NewTicketPanel /> : selectedId.value ? <TicketPanel /> : null
  const showMap = narrowTab.value === 'map' || placing.value !== null
  return (
    <main class="desk" data-side={side !== null} data-narrow={showMap ? 'map' : side ? 'side' : 'queue'}>
      <h1 class="unseen">{t('nav_board')}</h1>
      <Queue />
      <Suspense fallback={<div class="map"><p class="map-note">{t('map_loading')}</p></div>}>
        <MapView />
      </Suspense>
      {side}
      <div class="narrow-tabs" role="group" aria-label={t('nav')}>
        <button type="button" aria-pressed={!showMap} onClick={() => (narrowTab.value = 'queue')}>
          {side ? t('ticket') : t('nav_board')}
        </button>
        <button type="button" aria-pressed={showMap} onClick={() => (narrowTab.value = 'map')}>{t('nav_map')}</button>
      </div>
    </main>
  )
}
