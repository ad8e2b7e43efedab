import { signOut, watchPosition } from '../core/app'
import { go } from '../core/route'
import { keepsStorage, position, positionProblem, refusedCommands, session, today, waitingCommands } from '../core/state'
import { shiftText, t } from '../core/words'
import { Devices } from '../parts/devices'
import { Icon } from '../parts/icons'
import { LanguageSwitch } from '../parts/language_switch'
import { ReachChip, Strips } from '../parts/pieces'
import { PositionUseCard } from '../parts/position_use'
import { PushSwitch } from '../parts/push_switch'

export function MeScreen() {
  const unsent = waitingCommands.value.length
  const problems = unsent + refusedCommands.value.length
  const shift = today.value?.engineer
  return (
    <>
      <header class="head">
        <h1>{session.value?.name}</h1>
        <ReachChip />
      </header>
      <main class="page">
        <Strips />
        <section class="card settings">
          <button type="button" class="item" onClick={() => go('queue')}>
            <span>{t('queue')}</span>
            <b>{problems || <Icon name="check" size={18} />}</b>
          </button>
          <button type="button" class="item" onClick={() => go('shifts')}>
            <span>
              {t('my_shifts')}
              {shift && <small class="sub">{shiftText(shift)}</small>}
            </span>
            <Icon name="next" size={18} />
          </button>
          <button type="button" class="item" onClick={() => go('requests')}>
            <span>{t('my_requests')}</span>
            <Icon name="next" size={18} />
          </button>
          <PositionItem />
          <PushSwitch />
          {keepsStorage.value !== null && (
            <p class="item">
              <span>
                {t('storage')}
                <small class="sub">{t(keepsStorage.value ? 'storage_kept' : 'storage_refused')}</small>
              </span>
            </p>
          )}
          <div class="item">
            <span>{t('language')}</span>
            <LanguageSwitch />
          </div>
        </section>
        <PositionUseCard />
        <Devices />
        {unsent > 0 && <p class="sub">{t('sign_out_kept', { n: unsent })}</p>}
        <button type="button" class="plain wide danger" onClick={() => void signOut()}>
          {t('sign_out')}
        </button>
      </main>
    </>
  )
}

function PositionItem() {
  const problem = positionProblem.value
  const words = problem === 'denied' ? 'position_denied' : problem ? 'position_unavailable' : today.value?.engineer.on_shift ? 'position_sharing_on' : 'position_sharing_off'
  return (
    <div class="item">
      <span>
        {t('position_sharing')}
        <small class={problem ? 'sub bad' : 'sub'}>
          {t(words)}
          {!problem && position.value && ` · ${t('accuracy', { n: Math.round(position.value.accuracy_m) })}`}
        </small>
      </span>
      {problem && (
        <button type="button" class="plain" onClick={watchPosition}>
          {t('position_ask')}
        </button>
      )}
    </div>
  )
}
