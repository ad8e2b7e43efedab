import { render } from 'preact'
import { start } from './core/app'
import { route, type Tab } from './core/route'
import { expired, newVersion, refusedCommands, session, shown, started, waitingCommands } from './core/state'
import { t } from './core/words'
import { Empty, Notice, PageMeanwhile } from './parts/basics'
import { Icon } from './parts/icons'
import { lazy } from './parts/lazy'
import { TodayScreen } from './screens/today'
import '../../shared/tokens.css'
import './style.css'

/** The day comes first over a poor line; the rest follows, and the service worker keeps it. */
const OffersScreen = lazy(() => import('./screens/offers').then((m) => m.OffersScreen), PageMeanwhile)
const PoolScreen = lazy(() => import('./screens/pool').then((m) => m.PoolScreen), PageMeanwhile)
const MeScreen = lazy(() => import('./screens/me').then((m) => m.MeScreen), PageMeanwhile)
const QueueScreen = lazy(() => import('./screens/queue').then((m) => m.QueueScreen), PageMeanwhile)
const RequestsScreen = lazy(() => import('./screens/requests').then((m) => m.RequestsScreen), PageMeanwhile)
const ShiftsScreen = lazy(() => import('./screens/shifts').then((m) => m.ShiftsScreen), PageMeanwhile)
const TicketScreen = lazy(() => import('./screens/ticket').then((m) => m.TicketScreen), PageMeanwhile)
const SignInScreen = lazy(() => import('./screens/signin').then((m) => m.SignInScreen), PageMeanwhile)

function App() {
  if (started.value === 'no') return null
  if (started.value === 'no_storage') return <Empty icon="alert" title={t('no_storage')} />
  if (!session.value || expired.value) return <SignInScreen />
  return (
    <div class="app">
      <Screen />
      {route.value.page !== 'ticket' && <Tabs />}
      <Notice />
    </div>
  )
}

function Screen() {
  switch (route.value.page) {
    case 'offers':
      return <OffersScreen />
    case 'pool':
      return <PoolScreen />
    case 'me':
      return <MeScreen />
    case 'queue':
      return <QueueScreen />
    case 'requests':
      return <RequestsScreen />
    case 'shifts':
      return <ShiftsScreen />
    case 'ticket':
      return <TicketScreen key={route.value.ticketId} />
    default:
      return <TodayScreen />
  }
}

const TABS: Tab[] = ['today', 'offers', 'pool', 'me']

function Tabs() {
  const counts: Record<Tab, number> = {
    today: 0,
    offers: shown.value?.offers.length ?? 0,
    pool: shown.value?.pool_count ?? 0,
    me: waitingCommands.value.length + refusedCommands.value.length,
  }
  return (
    <nav class="tabs">
      {TABS.map((tab) => (
        <a key={tab} href={`#/${tab}`} aria-current={route.value.page === tab ? 'page' : undefined}>
          <Icon name={tab} />
          {counts[tab] > 0 && <b class={tab === 'offers' || (tab === 'me' && refusedCommands.value.length) ? 'badge hot' : 'badge'}>{Math.min(counts[tab], 99)}</b>}
          {t(tab)}
        </a>
      ))}
    </nav>
  )
}

/** The shell works offline from the second visit on; a newer one waits until the engineer says so. */
async function installShell(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  const registration = await navigator.serviceWorker.register('/phone/sw.js', { scope: '/phone/' })
  const offer = (worker: ServiceWorker | null) => {
    if (worker && navigator.serviceWorker.controller) newVersion.value = () => worker.postMessage('take-over')
  }
  offer(registration.waiting)
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing
    worker?.addEventListener('statechange', () => worker.state === 'installed' && offer(worker))
  })
  let hadController = navigator.serviceWorker.controller !== null
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (hadController) location.reload()
    hadController = true
  })
}

const place = document.getElementById('app')
if (place) render(<App />, place)
void start()
void installShell().catch(console.error)
